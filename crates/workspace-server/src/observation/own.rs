//! The upstream that one reader has to itself, until it is caught up and handed over.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use yoi_protocol::{Code, Cursor, Failure, Origin, Phase, RawFrame, StreamEnd};

use super::backlog::{Backlog, Standing};
use super::course::Course;
use super::frame::{Kind, Rewriter, WatchedFrame};
use super::in_flight::{Fold, Offsets};
use super::lanes::Place;
use crate::handle::{Upstream, protocol_error};

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
    pub(super) upstream: Box<dyn Upstream>,
    pub(super) rewriter: Rewriter,
    pub(super) backlog: Backlog,
    pub(super) course: Course,
}

/// One reader's own upstream.
pub(super) struct Own {
    upstream: Box<dyn Upstream>,
    rewriter: Rewriter,
    bounds: Bounds,
    /// Since when its reader waits for the Runtime; nothing while a frame is at hand.
    waiting: Option<Instant>,
    /// Where its reader stands; nowhere before a first snapshot.
    standing: Option<Standing>,
    course: Course,
    fold: Fold,
    caught_up: bool,
    /// Its place among the short upstreams.
    _place: Place,
}

impl Own {
    /// An upstream that was opened after `cursor` (the Backend's), or from a snapshot on.
    pub(super) fn new(
        upstream: Box<dyn Upstream>,
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
            course: Course::of(cursor.is_some()),
            standing: cursor.map(|cursor| Standing {
                seq: None,
                cursor,
                told: Offsets::default(),
            }),
            fold: Fold::new(None, bounds.in_flight_bytes),
            caught_up: false,
            _place: place,
        }
    }

    /// Where the reader stands, once the past is told.
    pub(super) fn ready(&self) -> Option<&Standing> {
        self.standing.as_ref().filter(|_| self.caught_up)
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

    /// The next frame of the Runtime, which has only so much time until the past is told.
    /// Cancel-safe: what was waited already counts on.
    pub(super) async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        let next = self.in_time().await;
        next.map_err(|end| self.course.end(end))
    }

    /// The same, as the Runtime says it.
    async fn in_time(&mut self) -> Result<RawFrame, StreamEnd> {
        if self.caught_up {
            return self.upstream.next().await;
        }
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let Ok(next) = timeout_at(since + self.bounds.patience, self.upstream.next()).await else {
            return Err(StreamEnd::Failed(silent()));
        };
        self.waiting = None;
        self.bounds.patience = self.bounds.patience.saturating_sub(since.elapsed());
        next
    }

    /// The frame as its reader gets it; `None` for one that came twice.
    pub(super) fn take(&mut self, raw: RawFrame) -> Result<Option<WatchedFrame>, StreamEnd> {
        let broken = || StreamEnd::Failed(protocol_error());
        let rewritten = self.rewriter.rewrite(raw).map_err(StreamEnd::Failed)?;
        self.course.saw(&rewritten.kind);
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
                            Some(last) if seq == last && cursor == standing.cursor => {
                                return Ok(None);
                            }
                            Some(last) if seq != last + 1 => return Err(broken()),
                            Some(_) | None => {}
                        }
                        standing.event(seq, cursor, &mark);
                    }
                }
                self.fold.mark(&mark);
            }
            Kind::CaughtUp(in_flight) => {
                let standing = self.standing.as_mut().ok_or_else(broken)?;
                if self.caught_up {
                    return Ok(None);
                }
                standing.told = Offsets::of(in_flight.as_ref());
                self.fold = Fold::new(in_flight, self.bounds.in_flight_bytes);
                self.caught_up = true;
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
        Ok(Some(rewritten.frame))
    }
}

/// The Runtime lets a reader wait for the past.
pub(super) fn silent() -> Failure {
    Failure::new(Code::RuntimeTimedOut)
        .by(Origin::Link)
        .with_phase(Phase::Body)
}
