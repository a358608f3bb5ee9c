//! Whether a peer takes what is written to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// How the writing to one connection goes: a peer that makes room for more is there, also while it
/// says nothing. A write that found room at once tells nothing about the peer.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// No write ever had to wait.
    #[default]
    AtOnce,
    /// One waits.
    Waiting,
    /// The last that had to wait went on then.
    WentOn(Instant),
}

impl Progress {
    pub(super) fn waits(&self) {
        *self.lock() = State::Waiting;
    }

    pub(super) fn goes_on(&self) {
        *self.lock() = State::WentOn(Instant::now());
    }

    /// When the peer last made room. While a write waits that is now: how long it may wait is the
    /// connection's affair.
    pub(crate) fn last_sign(&self) -> Option<Instant> {
        match *self.lock() {
            State::AtOnce => None,
            State::Waiting => Some(Instant::now()),
            State::WentOn(at) => Some(at),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
