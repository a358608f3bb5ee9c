//! The shared frames of one watched Worker, and those who read them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use yoi_protocol::{Failure, InFlight, RawFrame, StreamEnd};

use super::backlog::{Backlog, Found, Standing};
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
    end: Option<StreamEnd>,
}

impl Channel {
    pub(super) fn new(rewriter: Rewriter, backlog: Backlog) -> Self {
        Self {
            state: Mutex::new(State { backlog, end: None }),
            rewriter,
            progress: watch::Sender::new(0),
            readers: watch::Sender::new(0),
        }
    }

    /// Adds a frame of the live upstream.
    pub(super) fn push(&self, raw: RawFrame) -> Result<(), Failure> {
        let rewritten = self.rewriter.rewrite(raw)?;
        self.lock().backlog.push(rewritten)?;
        self.progress.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Says how the stream ended. Readers get what is left first.
    pub(super) fn finish(&self, end: StreamEnd) {
        self.lock().end.get_or_insert(end);
        self.progress.send_modify(|count| *count += 1);
    }

    pub(super) fn rewriter(&self) -> &Rewriter {
        &self.rewriter
    }

    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
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

    /// A reader for somebody whose cursor is in the ring, with what it has to be told first.
    pub(super) fn resume(
        self: &Arc<Self>,
        cursor: &yoi_protocol::Cursor,
    ) -> Option<(VecDeque<WatchedFrame>, Option<InFlight>, Reader)> {
        let resumed = {
            let state = self.lock();
            if state.end.is_some() {
                return None;
            }
            state.backlog.resume(cursor)?
        };
        let reader = self.reader(resumed.position, Joint::none());
        Some((resumed.events, resumed.in_flight, reader))
    }

    /// A reader for somebody who stands at `standing`, when the ring has all that follows.
    pub(super) fn join(self: &Arc<Self>, standing: &Standing) -> Option<Reader> {
        let position = self.lock().backlog.join(standing)?;
        Some(self.reader(position, Joint::new(standing.told.clone())))
    }

    /// A reader for whoever brought the upstream: at the start of the ring.
    pub(super) fn first_reader(self: &Arc<Self>) -> Reader {
        let position = self.lock().backlog.end();
        self.reader(position, Joint::none())
    }

    fn reader(self: &Arc<Self>, position: u64, joint: Joint) -> Reader {
        self.readers.send_modify(|count| *count += 1);
        Reader {
            progress: self.progress.subscribe(),
            channel: Arc::clone(self),
            position,
            joint,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader of a [`Channel`], at its own pace.
pub(super) struct Reader {
    channel: Arc<Channel>,
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
                let state = self.channel.lock();
                match state.backlog.at(self.position) {
                    Found::Item(item) => item,
                    Found::NotYet => return state.end.clone().map(Err),
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

impl Drop for Reader {
    fn drop(&mut self) {
        self.channel.readers.send_modify(|count| *count -= 1);
    }
}
