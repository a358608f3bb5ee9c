//! How long to stay away from what failed.

use std::time::Duration;

/// How long a Backend stays away from what failed before it tries again: twice as long each time,
/// and of that a part by chance, so that those who were cut off together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The most before the first time.
    pub base: Duration,
    /// The most before any time.
    pub max: Duration,
}

impl Backoff {
    /// The pause before the attempt after `failures`; `roll` is a number from 0 to 1.
    pub(crate) fn pause(self, failures: u32, roll: f64) -> Duration {
        let factor = 1_u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max).mul_f64(roll)
    }
}
