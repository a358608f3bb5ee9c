//! Counted limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many of something there may be at a time.
#[derive(Debug)]
pub(crate) struct Quota {
    limit: u64,
    used: AtomicU64,
}

/// One of them, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Permit {
    quota: Arc<Quota>,
}

impl Quota {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        let used = AtomicU64::new(0);
        Arc::new(Self { limit, used })
    }

    /// One more, unless the limit is reached.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Permit> {
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                (used < self.limit).then_some(used + 1)
            })
            .ok()?;
        let quota = Arc::clone(self);
        Some(Permit { quota })
    }

    /// One more even over the limit: for what was there before the limit was lowered.
    pub(crate) fn force(self: &Arc<Self>) -> Permit {
        self.used.fetch_add(1, Ordering::AcqRel);
        let quota = Arc::clone(self);
        Permit { quota }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(1, Ordering::AcqRel);
    }
}
