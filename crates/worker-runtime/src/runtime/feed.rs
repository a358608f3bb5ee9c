//! The live frames of one Worker, for readers who each go at their own pace.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::ObservedFrame;

/// A bounded queue that every reader sees whole. It exists only while there are readers.
#[derive(Debug)]
pub(super) struct Feed {
    frames: VecDeque<Unread>,
    /// The number of the first of `frames`; numbers count all that were ever pushed.
    first: u64,
    bytes: u64,
    max_bytes: u64,
    readers: usize,
    more: Arc<Notify>,
}

#[derive(Debug)]
struct Unread {
    frame: ObservedFrame,
    /// How many readers have still to come by.
    by: usize,
    /// Whether nothing can follow.
    is_last: bool,
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u64);

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// The next frame; `is_last` when nothing can follow.
    Frame { frame: ObservedFrame, is_last: bool },
    /// Nothing yet.
    Nothing,
    /// The reader was too slow: what it has not read is gone.
    Lost,
}

impl Feed {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            frames: VecDeque::new(),
            first: 0,
            bytes: 0,
            max_bytes,
            readers: 0,
            more: Arc::new(Notify::new()),
        }
    }

    /// Adds a reader, who sees all that is pushed from now on.
    pub(super) fn join(&mut self) -> Place {
        self.readers += 1;
        Place(self.end())
    }

    /// Removes a reader, and says whether it was the last one.
    pub(super) fn leave(&mut self, place: Place) -> bool {
        let start = usize::try_from(place.0.saturating_sub(self.first)).unwrap_or(usize::MAX);
        for unread in self.frames.iter_mut().skip(start) {
            unread.by -= 1;
        }
        self.drop_read();
        self.readers -= 1;
        self.readers == 0
    }

    /// Woken after each push.
    pub(super) fn more(&self) -> Arc<Notify> {
        Arc::clone(&self.more)
    }

    pub(super) fn push(&mut self, frame: ObservedFrame, is_last: bool) {
        self.bytes += frame.text.len() as u64;
        self.frames.push_back(Unread {
            frame,
            by: self.readers,
            is_last,
        });
        // The newest is kept however large, or no reader could ever get past it.
        while self.bytes > self.max_bytes && self.frames.len() > 1 {
            self.pop();
        }
        self.more.notify_waiters();
    }

    pub(super) fn read(&mut self, place: &mut Place) -> Read {
        let Some(ahead) = place.0.checked_sub(self.first) else {
            return Read::Lost;
        };
        let index = usize::try_from(ahead).unwrap_or(usize::MAX);
        let Some(unread) = self.frames.get_mut(index) else {
            return Read::Nothing;
        };
        unread.by -= 1;
        place.0 += 1;
        let read = Read::Frame {
            frame: unread.frame.clone(),
            is_last: unread.is_last,
        };
        self.drop_read();
        read
    }

    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Drops what everyone has read.
    fn drop_read(&mut self) {
        while self.frames.front().is_some_and(|unread| unread.by == 0) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(unread) = self.frames.pop_front() {
            self.first += 1;
            self.bytes -= unread.frame.text.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
