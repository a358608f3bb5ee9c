//! How many calls to one Runtime are under way: one that hangs holds up nobody but those who ask it,
//! and of those only so many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many calls to one Runtime there may be at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadSettings {
    /// Under way.
    pub max_calls: usize,
    /// Waiting to be: one more is refused.
    pub max_waiting: usize,
}

impl Default for BulkheadSettings {
    fn default() -> Self {
        Self {
            max_calls: 128,
            max_waiting: 256,
        }
    }
}

/// The places of one Runtime.
#[derive(Debug)]
pub(super) struct Bulkhead {
    settings: BulkheadSettings,
    calls: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// Nobody more can wait.
    Full,
    /// None was free in time.
    Late,
}

/// A place, until it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Bulkhead {
    pub(super) fn new(settings: BulkheadSettings) -> Self {
        Self {
            settings,
            calls: Arc::new(Semaphore::new(settings.max_calls)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes a place, or waits for one until `deadline`.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<Place, NoPlace> {
        if let Ok(place) = Arc::clone(&self.calls).try_acquire_owned() {
            return Ok(place);
        }
        let _waits = Waits::begin(self)?;
        let place = Arc::clone(&self.calls).acquire_owned();
        match timeout_at(deadline, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(NoPlace::Full),
            Err(_elapsed) => Err(NoPlace::Late),
        }
    }
}

/// Somebody who waits, until this is dropped: also who gives up in the middle.
struct Waits<'a>(&'a Bulkhead);

impl<'a> Waits<'a> {
    fn begin(bulkhead: &'a Bulkhead) -> Result<Self, NoPlace> {
        let waits = Self(bulkhead);
        let before = bulkhead.waiting.fetch_add(1, Ordering::AcqRel);
        if before < bulkhead.settings.max_waiting {
            Ok(waits)
        } else {
            Err(NoPlace::Full)
        }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
