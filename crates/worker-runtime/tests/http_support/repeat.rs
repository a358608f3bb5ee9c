//! A Runtime that does the same thing each time.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;
use worker_runtime::{Clock, IdSource};
use yoi_protocol::Timestamp;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct CountedIds(AtomicU64);

impl IdSource for CountedIds {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Uuid::from_u64_pair(0, n)
    }
}

/// Stands still.
#[derive(Debug)]
pub(crate) struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_770_000_000_000)
    }
}
