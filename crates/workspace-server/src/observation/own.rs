//! The upstream that one reader has to itself, until it is caught up and handed over.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use yoi_protocol::{Code, Control, Cursor, Failure, InFlight, Origin, Phase, RawFrame, StreamEnd};

use super::backlog::{Backlog, Standing};
use super::course::Course;
use super::frame::{Kind, Rewriter, WatchedFrame};
use super::hub::Hub;
use super::in_flight::{Fold, Offsets};
use super::lanes::Place;
use super::losses::failure_of;
use super::upstream::{Resuming, Step};
use crate::handle::protocol_error;
use crate::telemetry::{self, Counted};

/// What an upstream is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long its Runtime may keep a reader waiting, all in all, until the past is told.
    pub(super) patience: Duration,
    /// The most that may be in flight.
    pub(super) in_flight_bytes: usize,
    /// Whether it ends by itself when the Backend does: its Runtime is drained with it.
    pub(super) ends_itself: bool,
}

/// An upstream that is for all, and an empty ring for what follows.
pub(super) struct Shared {
    pub(super) upstream: Resuming,
    pub(super) rewriter: Rewriter,
    pub(super) backlog: Backlog,
    pub(super) course: Course,
}

/// One reader's own upstream.
pub(super) struct Own {
    upstream: Resuming,
    rewriter: Rewriter,
    bounds: Bounds,
    /// Since when its reader waits for the Runtime; nothing while a frame is at hand.
    waiting: Option<Instant>,
    /// How long it may wait yet.
    patience: Duration,
    /// Where its reader stands; nowhere before a first snapshot.
    standing: Option<Standing>,
    course: Course,
    fold: Fold,
    caught_up: bool,
    /// Why there is no upstream at the moment, or it has not told yet what was missed.
    lost: Option<Failure>,
    /// What its reader is still to be told.
    told: VecDeque<WatchedFrame>,
    /// Its place among the short upstreams.
    _place: Place,
    _counted: Counted,
}

impl Own {
    /// An upstream that was opened after `cursor` (the Backend's), or from a snapshot on.
    pub(super) fn new(
        upstream: Resuming,
        rewriter: Rewriter,
        cursor: Option<Cursor>,
        bounds: Bounds,
        place: Place,
    ) -> Self {
        Self {
            upstream,
            rewriter,
            bounds,
            waiting: None,
            patience: bounds.patience,
            course: Course::of(cursor.is_some()),
            standing: cursor.map(|cursor| Standing {
                seq: None,
                cursor,
                told: Offsets::default(),
            }),
            fold: Fold::new(None, bounds.in_flight_bytes),
            caught_up: false,
            lost: None,
            told: VecDeque::new(),
            _place: place,
            _counted: Counted::own_upstream(),
        }
    }

    /// Where the reader stands, once it was told the past, and all that is to be said.
    pub(super) fn ready(&self) -> Option<&Standing> {
        let is_told = self.caught_up && self.lost.is_none() && self.told.is_empty();
        self.standing.as_ref().filter(|_| is_told)
    }

    /// How the Worker goes on, as far as the reader was told.
    pub(super) fn course(&self) -> Course {
        self.course
    }

    /// The upstream to be shared from here on.
    pub(super) fn share(self, max_bytes: usize) -> Option<Shared> {
        Some(Shared {
            backlog: Backlog::new(self.standing?, self.fold, max_bytes),
            course: self.course,
            upstream: self.upstream,
            rewriter: self.rewriter,
        })
    }

    pub(super) fn ends_itself(&self) -> bool {
        self.bounds.ends_itself
    }

    /// What its reader is told next, if that is there already.
    pub(super) fn pop(&mut self) -> Option<WatchedFrame> {
        self.told.pop_front()
    }

    /// Waits until there may be more to tell. Cancel-safe: what was waited already counts on.
    pub(super) async fn advance(&mut self, hub: &Hub) -> Result<(), StreamEnd> {
        let end = match self.step().await {
            Ok(()) => return Ok(()),
            Err(Left::Late) => {
                let lost = self.lost.take();
                return Err(StreamEnd::Failed(lost.unwrap_or_else(silent)));
            }
            Err(Left::Ended(end)) => self.course.end(end),
        };
        match end {
            StreamEnd::Draining if hub.is_ending() => Err(end),
            // Its reader fell behind, and comes back with its cursor.
            StreamEnd::SlowConsumer => Err(end),
            // Nothing is told yet that one could go on from.
            end if self.standing.is_none() => {
                Err(failure_of(end).map_or(StreamEnd::Complete, StreamEnd::Failed))
            }
            end => {
                let known = self.lost.as_ref().map(|lost| lost.code);
                if let Some(lost) = self.upstream.lost(end, known)? {
                    telemetry::upstream_lost(lost.code);
                    let said = Control::UpstreamLost { code: lost.code };
                    self.told.push_back(self.rewriter.control(said));
                    self.lost = Some(lost);
                }
                Ok(())
            }
        }
    }

    /// One step of the upstream. It has only so much time, lost or not, until the past is told:
    /// a reader has a place that others wait for.
    async fn step(&mut self) -> Result<(), Left> {
        let Self {
            upstream,
            standing,
            rewriter,
            ..
        } = self;
        let next = upstream.next(|| {
            let standing = standing.as_ref().ok_or_else(protocol_error)?;
            rewriter.seal().open(standing.cursor.as_str())
        });
        let step = if self.caught_up && self.lost.is_none() {
            next.await
        } else {
            let since = *self.waiting.get_or_insert_with(Instant::now);
            let Ok(step) = timeout_at(since + self.patience, next).await else {
                return Err(Left::Late);
            };
            self.waiting = None;
            self.patience = self.patience.saturating_sub(since.elapsed());
            step
        };
        match step.map_err(Left::Ended)? {
            Step::Frame(raw) => self.take(raw).map_err(Left::Ended),
            Step::Opened => Ok(()),
        }
    }

    /// Takes a frame of the Runtime, and what its reader is told of it.
    pub(super) fn take(&mut self, raw: RawFrame) -> Result<(), StreamEnd> {
        let broken = || StreamEnd::Failed(protocol_error());
        let rewritten = self.rewriter.rewrite(raw).map_err(StreamEnd::Failed)?;
        let mut course = self.course;
        course.saw(&rewritten.kind);
        let is_well = self.caught_up && self.lost.is_none();
        let is_live = is_well && rewritten.kind.has_a_place();
        match rewritten.kind {
            Kind::Event { seq, mark } => {
                let cursor = rewritten.frame.cursor.clone().ok_or_else(broken)?;
                match &mut self.standing {
                    None => {
                        self.standing = Some(Standing {
                            seq: Some(seq),
                            cursor,
                            told: Offsets::default(),
                        });
                    }
                    Some(standing) => {
                        match standing.seq {
                            // One event has one number.
                            Some(last) if cursor == standing.cursor && seq != last => {
                                return Err(broken());
                            }
                            _ if cursor == standing.cursor => return Ok(()),
                            Some(last) if last.checked_add(1) != Some(seq) => return Err(broken()),
                            Some(_) | None => {}
                        }
                        standing.event(seq, cursor, &mark);
                    }
                }
                self.fold.mark(&mark);
            }
            Kind::CaughtUp(in_flight) => {
                self.upstream.caught_up();
                self.patience = self.bounds.patience;
                let was_lost = self.lost.take().is_some();
                if self.caught_up {
                    return if was_lost {
                        self.restore(in_flight)
                    } else {
                        Ok(())
                    };
                }
                let standing = self.standing.as_mut().ok_or_else(broken)?;
                standing.told = Offsets::of(in_flight.as_ref());
                self.fold = Fold::new(in_flight, self.bounds.in_flight_bytes);
                self.caught_up = true;
                if was_lost {
                    let restored = self.rewriter.control(Control::UpstreamRestored);
                    self.told.push_back(restored);
                }
            }
            Kind::Delta(Some(piece)) => {
                if !self.caught_up || !self.fold.add(&piece) {
                    return Err(broken());
                }
                if let Some(standing) = &mut self.standing {
                    let end = piece.end();
                    standing.told.reach(piece.stream, end);
                }
            }
            Kind::Delta(None) | Kind::Other => {}
        }
        // Only what was taken tells how the Worker goes on.
        self.course = course;
        if is_live {
            self.upstream.live();
        }
        self.told.push_back(rewritten.frame);
        Ok(())
    }

    /// What was missed is told, but for what a run has said since its last entry; and then that.
    fn restore(&mut self, in_flight: Option<InFlight>) -> Result<(), StreamEnd> {
        let broken = || StreamEnd::Failed(protocol_error());
        let missing = self.fold.catch_up(in_flight).ok_or_else(broken)?;
        let restored = self.rewriter.control(Control::UpstreamRestored);
        self.told.push_back(restored);
        for piece in missing {
            if let Some(delta) = piece.to_delta() {
                self.told.push_back(self.rewriter.delta(delta));
            }
            if let Some(standing) = &mut self.standing {
                let end = piece.end();
                standing.told.reach(piece.stream, end);
            }
        }
        Ok(())
    }
}

/// How a step may fail.
enum Left {
    /// By the upstream, or by trying to have one.
    Ended(StreamEnd),
    /// The Runtime had time enough.
    Late,
}

/// The Runtime lets a reader wait for the past.
pub(super) fn silent() -> Failure {
    Failure::new(Code::RuntimeTimedOut)
        .by(Origin::Link)
        .with_phase(Phase::Body)
}
