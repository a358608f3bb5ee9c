//! A clock that is off.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use worker_runtime::{Clock, SystemClock};
use yoi_protocol::Timestamp;

/// The machine's clock, off by some time.
#[derive(Debug, Default)]
pub(super) struct SkewedClock {
    /// By how much it is off for good.
    age_ms: AtomicI64,
    /// By how much it is off for now.
    skew_ms: AtomicI64,
    /// How often it was looked at while it was off.
    skewed_reads: AtomicUsize,
}

impl SkewedClock {
    /// Sets by how much it is off for now.
    pub(super) fn skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::SeqCst);
    }

    /// Lets time pass.
    pub(super) fn age(&self, ms: i64) {
        self.age_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// How often it was looked at while it was off.
    pub(super) fn skewed_reads(&self) -> usize {
        self.skewed_reads.load(Ordering::SeqCst)
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let skew = self.skew_ms.load(Ordering::SeqCst);
        if skew != 0 {
            self.skewed_reads.fetch_add(1, Ordering::SeqCst);
        }
        let off = skew + self.age_ms.load(Ordering::SeqCst);
        Timestamp::from_unix_ms(SystemClock.now().as_unix_ms() + off)
    }
}
