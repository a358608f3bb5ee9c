//! What waits to be written: whoever commits while the disk is busy is in the next go.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use yoi_protocol::Timestamp;

use super::line::Kind;
use crate::fold::WorkerState;
use crate::store::{LogId, Record, StoreError};

/// One line that waits to be written, and who waits for it.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) what: What,
    pub(super) json: Vec<u8>,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// What a line does once it lasts.
#[derive(Debug)]
pub(super) enum What {
    Record {
        record: Record,
        after: Arc<WorkerState>,
    },
    Drop(LogId),
    /// Nothing: whoever waits for it waits for what was before it.
    Nothing,
}

impl What {
    /// The kind of its line, if it has one.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Record { .. } => Some(Kind::Record),
            Self::Drop(_) => Some(Kind::Dropped),
            Self::Nothing => None,
        }
    }
}

/// How much is written in one go. One line is written however large it is.
const GO_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Write>,
    seal_before: Option<Timestamp>,
    is_closed: bool,
    /// How many must wait before who takes them is woken again.
    wanted: usize,
}

/// For whom to wait a moment before what waits is written.
///
/// Those who were just told come again, each with its next record: one sync for all of them is
/// worth more than one at once for the first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Company {
    /// How many are expected.
    pub(super) count: usize,
    /// For how long at most.
    pub(super) patience: Duration,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) struct Go {
    /// Lines to write, all in one go.
    pub(super) writes: Vec<Write>,
    /// Then the segment takes no more records, if it has any that is older.
    pub(super) seal_before: Option<Timestamp>,
}

impl Queue {
    /// Adds a line; gives it back when nothing is written any more.
    pub(super) fn push(&self, write: Write) -> Result<(), Write> {
        let mut state = self.state();
        if state.is_closed {
            return Err(write);
        }
        state.waiting.push(write);
        // Whoever writes takes all that waits: only the first has to wake it, and the last that it
        // waits for.
        if state.waiting.len() == 1 || state.waiting.len() == state.wanted {
            self.more.notify_one();
        }
        Ok(())
    }

    /// Has the segment that is written to take no more records, if it has any that is older.
    pub(super) fn seal_if_before(&self, at: Timestamp) {
        self.state().seal_before = Some(at);
        self.more.notify_one();
    }

    /// What waits, in order, as much as goes in one go; waits for it. `None` once closed and empty.
    pub(super) fn next(&self, company: Company) -> Option<Go> {
        let mut state = self.state();
        while state.waiting.is_empty() && state.seal_before.is_none() {
            if state.is_closed {
                return None;
            }
            state = self
                .more
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiting.len() < company.count && !company.patience.is_zero() {
            state.wanted = company.count;
            let is_alone =
                |state: &mut State| state.waiting.len() < company.count && !state.is_closed;
            state = self
                .more
                .wait_timeout_while(state, company.patience, is_alone)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.wanted = 0;
        }
        let mut bytes = 0;
        let fits = |write: &Write| {
            bytes += write.json.len();
            bytes <= GO_BYTES
        };
        let count = state
            .waiting
            .iter()
            .map(fits)
            .take_while(|fits| *fits)
            .count();
        let most = state.waiting.len();
        let rest = state.waiting.split_off(count.max(1).min(most));
        Some(Go {
            writes: std::mem::replace(&mut state.waiting, rest),
            seal_before: state.seal_before.take(),
        })
    }

    /// Takes no more, and lets go of what waits: whoever waits for it learns that nobody writes it.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.waiting.clear();
    }

    /// Takes no more. What waits is still written.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.more.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
