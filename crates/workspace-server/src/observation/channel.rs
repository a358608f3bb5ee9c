//! The shared frames of one watched Worker, and those who read them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use yoi_protocol::{Cursor, Failure, RawFrame, StreamEnd};

use super::backlog::{Backlog, Found, Resumed, Standing};
use super::course::Course;
use super::frame::{Rewriter, WatchedFrame};
use super::joint::Joint;

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
    end: Option<StreamEnd>,
}

impl Channel {
    pub(super) fn new(rewriter: Rewriter, backlog: Backlog, course: Course) -> Self {
        Self {
            state: Mutex::new(State {
                backlog,
                course,
                end: None,
            }),
            rewriter,
            progress: watch::Sender::new(0),
            readers: watch::Sender::new(0),
        }
    }

    /// Adds a frame of the live upstream.
    pub(super) fn push(&self, raw: RawFrame) -> Result<(), Failure> {
        let rewritten = self.rewriter.rewrite(raw)?;
        {
            let mut state = self.lock();
            state.course.saw(&rewritten.kind);
            state.backlog.push(rewritten)?;
        }
        self.progress.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Says how the stream ended. Readers get what is left first.
    pub(super) fn finish(&self, end: StreamEnd) {
        self.lock().end.get_or_insert(end);
        self.progress.send_modify(|count| *count += 1);
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
        let Resumed {
            mut events,
            in_flight,
            position,
        } = {
            let state = self.0.lock();
            if state.end.is_some() {
                return None;
            }
            state.backlog.resume(cursor)?
        };
        events.push_back(self.0.rewriter.caught_up(in_flight));
        Some((events, self.reader(position, Joint::none())))
    }

    /// A reader for somebody who stands at `standing` and was told so much of the Worker's
    /// `course`, when the ring has all that follows.
    pub(super) fn join(self, standing: &Standing, course: Course) -> Option<Reader> {
        let position = {
            let mut state = self.0.lock();
            let position = state.backlog.join(standing)?;
            // The ring has no event while its course is untold: both stand at the same one.
            state.course.learn(course);
            position
        };
        Some(self.reader(position, Joint::new(standing.told.clone())))
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
            let item = {
                let state = self.seat.0.lock();
                match state.backlog.at(self.position) {
                    Found::Item(item) => item,
                    Found::NotYet => {
                        let end = state.end.clone()?;
                        return Some(Err(state.course.end(end)));
                    }
                    Found::Fallen => return Some(Err(StreamEnd::SlowConsumer)),
                }
            };
            self.position += 1;
            if let Some(frame) = self.joint.pass(item) {
                return Some(Ok(frame));
            }
        }
    }
}
