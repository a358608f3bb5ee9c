//! A clock that is off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use worker_runtime::{Clock, SystemClock};
use yoi_protocol::Timestamp;

use super::ward::Ward;
use crate::fault::Malady;

/// The machine's clock, off by some time.
#[derive(Debug)]
pub(super) struct SkewedClock {
    /// By how much it is off for good.
    age_ms: AtomicI64,
    /// What sets it for now.
    ward: Arc<Ward>,
}

impl SkewedClock {
    pub(super) fn new(ward: Arc<Ward>) -> Self {
        Self {
            age_ms: AtomicI64::new(0),
            ward,
        }
    }

    /// Lets time pass.
    pub(super) fn age(&self, ms: i64) {
        self.age_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let case = self.ward.meet(|malady| matches!(malady, Malady::Clock(_)));
        let skew = match case.as_deref().map(|case| &case.malady) {
            Some(Malady::Clock(ms)) => *ms,
            _ => 0,
        };
        let off = skew + self.age_ms.load(Ordering::SeqCst);
        Timestamp::from_unix_ms(SystemClock.now().as_unix_ms() + off)
    }
}
