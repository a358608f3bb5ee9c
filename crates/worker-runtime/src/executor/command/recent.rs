//! What was found a moment ago.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an answer holds.
const MOMENT: Duration = Duration::from_secs(1);

/// An answer that costs something to find, found at most once a second.
#[derive(Debug, Default)]
pub(super) struct Recent<T> {
    found: Mutex<Option<(Instant, T)>>,
}

impl<T: Copy> Recent<T> {
    /// The answer of the last second, or the one that `find` gives now.
    pub(super) fn get(&self, find: impl FnOnce() -> T) -> T {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match *found {
            Some((at, answer)) if at.elapsed() < MOMENT => answer,
            _ => {
                let answer = find();
                *found = Some((Instant::now(), answer));
                answer
            }
        }
    }
}
