//! The shared frames of one watched Worker, and those who read them.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use yoi_protocol::{Code, Control, Cursor, Failure, InFlight, RawFrame, StreamEnd};

use super::backlog::{Backlog, Found, ItemPlace, Pushed, Resumed, Standing};
use super::course::Course;
use super::frame::{Kind, Rewriter, Rewritten, WatchedFrame};
use super::joint::Joint;
use crate::sync::{Mutex, MutexGuard};

/// The shared frames of one watched Worker.
///
/// The lock is held for one push or one read, never across a wait, so no reader slows another
/// or the upstream.
pub(super) struct Channel {
    state: Mutex<State>,
    rewriter: Rewriter,
    /// Counts pushes; readers wait for it to change.
    progress: watch::Sender<u64>,
    /// How many readers there are.
    readers: watch::Sender<usize>,
}

struct State {
    backlog: Backlog,
    course: Course,
    /// Why there is no upstream at the moment, or it has not told yet what was missed.
    lost: Option<Code>,
    end: Option<StreamEnd>,
}

/// What a frame of the upstream was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// The end of what was missed.
    CaughtUp,
    /// A part of what was missed, or what is known already, or tells nothing of the Worker.
    Past,
    /// What happens to the Worker now.
    Live,
}

impl Channel {
    pub(super) fn new(rewriter: Rewriter, backlog: Backlog, course: Course) -> Self {
        Self {
            state: Mutex::new(State {
                backlog,
                course,
                lost: None,
                end: None,
            }),
            rewriter,
            progress: watch::Sender::new(0),
            readers: watch::Sender::new(0),
        }
    }

    /// Adds a frame of the live upstream.
    pub(super) fn push(&self, raw: RawFrame) -> Result<Came, Failure> {
        let rewritten = self.rewriter.rewrite(raw)?;
        let came = {
            let mut state = self.lock();
            let mut course = state.course;
            course.saw(&rewritten.kind);
            let has_a_place = rewritten.kind.has_a_place();
            let came = match (rewritten.kind, state.lost) {
                (Kind::CaughtUp(in_flight), Some(_)) => {
                    self.restore(&mut state, in_flight)?;
                    Came::CaughtUp
                }
                (kind, lost) => {
                    let frame = rewritten.frame;
                    let pushed = state.backlog.push(Rewritten { frame, kind })?;
                    match (pushed, lost) {
                        (Pushed::Kept, None) if has_a_place => Came::Live,
                        (Pushed::Kept | Pushed::Duplicate, _) => Came::Past,
                    }
                }
            };
            // Only what was taken tells how the Worker goes on.
            state.course = course;
            came
        };
        self.moved();
        Ok(came)
    }

    /// Says that what was missed is told, but for what a run has said since its last entry; and
    /// then that.
    fn restore(&self, state: &mut State, in_flight: Option<InFlight>) -> Result<(), Failure> {
        let missing = state.backlog.catch_up(in_flight)?;
        state.lost = None;
        let restored = self.rewriter.control(Control::UpstreamRestored);
        state.backlog.say(restored, ItemPlace::Restored);
        for piece in missing {
            if let Some(delta) = piece.to_delta() {
                let frame = self.rewriter.delta(delta);
                state.backlog.say(frame, ItemPlace::of(piece));
            }
        }
        Ok(())
    }

    /// Says that the upstream is lost.
    pub(super) fn lose(&self, code: Code) {
        let lost = self.rewriter.control(Control::UpstreamLost { code });
        let mut state = self.lock();
        state.lost = Some(code);
        state.backlog.say(lost, ItemPlace::Lost);
        drop(state);
        self.moved();
    }

    /// Why there is no upstream at the moment, if so.
    pub(super) fn lost(&self) -> Option<Code> {
        self.lock().lost
    }

    /// The Runtime's cursor after which an upstream goes on where the last one ended.
    pub(super) fn last_cursor(&self) -> Result<Cursor, Failure> {
        let sealed = self.lock().backlog.last_cursor().clone();
        self.rewriter.seal().open(sealed.as_str())
    }

    /// How the upstream ended in truth.
    pub(super) fn end_of(&self, end: StreamEnd) -> StreamEnd {
        self.lock().course.end(end)
    }

    fn moved(&self) {
        self.progress.send_modify(|count| *count += 1);
    }

    /// Says how the stream ended. Readers get what is left first.
    pub(super) fn finish(&self, end: StreamEnd) {
        self.lock().end.get_or_insert(end);
        self.moved();
    }

    pub(super) fn has_readers(&self) -> bool {
        *self.readers.borrow() > 0
    }

    /// Waits until there was no reader for `linger`.
    pub(super) async fn unread_for(&self, linger: Duration) {
        let mut readers = self.readers.subscribe();
        loop {
            // The sender is ours, so waiting cannot fail.
            let _ = readers.wait_for(|count| *count == 0).await;
            let back = readers.wait_for(|count| *count > 0);
            if tokio::time::timeout(linger, back).await.is_err() {
                return;
            }
        }
    }

    /// Somebody who may become a reader. While there is one the upstream stays.
    pub(super) fn seat(self: &Arc<Self>) -> Seat {
        self.readers.send_modify(|count| *count += 1);
        Seat(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place at a [`Channel`], given back when it is dropped.
pub(super) struct Seat(Arc<Channel>);

impl Seat {
    /// Tells when the shared frames have moved.
    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.0.progress.subscribe()
    }

    /// A reader for somebody whose cursor is in the ring, with what it has to be told first.
    pub(super) fn resume(self, cursor: &Cursor) -> Option<(VecDeque<WatchedFrame>, Reader)> {
        let (resumed, lost) = {
            let state = self.0.lock();
            if state.end.is_some() {
                return None;
            }
            (state.backlog.resume(cursor)?, state.lost)
        };
        let Resumed {
            mut events,
            in_flight,
            position,
        } = resumed;
        let caught_up = Control::CaughtUp { in_flight };
        let lost = lost.map(|code| Control::UpstreamLost { code });
        let controls = std::iter::once(caught_up).chain(lost);
        events.extend(controls.map(|control| self.0.rewriter.control(control)));
        Some((events, self.reader(position, Joint::none())))
    }

    /// A reader for somebody who stands at `standing` and was told so much of the Worker's
    /// `course`, when the ring has all that follows, and its upstream is live: else it stays with
    /// its own, which is.
    ///
    /// # Errors
    /// `runtime_protocol_error` where the Runtime has told the two of them different things.
    pub(super) fn join(
        self,
        standing: &Standing,
        course: Course,
    ) -> Result<Option<Reader>, Failure> {
        let position = {
            let mut state = self.0.lock();
            if state.lost.is_some() {
                return Ok(None);
            }
            let Some(position) = state.backlog.join(standing)? else {
                return Ok(None);
            };
            // The ring has no event while its course is untold: both stand at the same one.
            state.course.learn(course);
            position
        };
        let joint = Joint::new(standing.told.clone());
        Ok(Some(self.reader(position, joint)))
    }

    /// A reader of what is still to come.
    pub(super) fn at_the_end(self) -> Reader {
        let position = self.0.lock().backlog.end();
        self.reader(position, Joint::none())
    }

    fn reader(self, position: u64, joint: Joint) -> Reader {
        Reader {
            progress: self.progress(),
            seat: self,
            position,
            joint,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.readers.send_modify(|count| *count -= 1);
    }
}

/// One reader of a [`Channel`], at its own pace.
pub(super) struct Reader {
    seat: Seat,
    progress: watch::Receiver<u64>,
    position: u64,
    joint: Joint,
}

impl Reader {
    /// The next frame; cancel-safe.
    pub(super) async fn next(&mut self) -> Result<WatchedFrame, StreamEnd> {
        loop {
            // Seen before looked at: what is pushed in between wakes the wait below.
            self.progress.borrow_and_update();
            if let Some(next) = self.try_next() {
                return next;
            }
            if self.progress.changed().await.is_err() {
                return Err(StreamEnd::Draining);
            }
        }
    }

    /// What is there already.
    pub(super) fn try_next(&mut self) -> Option<Result<WatchedFrame, StreamEnd>> {
        loop {
            let state = self.seat.0.lock();
            let item = match state.backlog.at(self.position) {
                Found::Item(item) => item,
                Found::NotYet => {
                    let end = state.end.clone()?;
                    return Some(Err(state.course.end(end)));
                }
                Found::Fallen => return Some(Err(StreamEnd::SlowConsumer)),
            };
            self.position += 1;
            if let Some(frame) = self.joint.pass(item) {
                return Some(Ok(frame));
            }
        }
    }
}
