//! How much is sent again over all calls of a client, so that many callers of a server in trouble do
//! not multiply what it has to bear.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many attempts beyond the first a client makes, over all its calls.
///
/// It is a bucket: each attempt beyond the first takes one from it, each call puts a part of one
/// in, and so does time. When it is empty, calls end with the failure of their first attempt.
/// Sending a request once more with a credential that was read again takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// A hundred calls put in so many; what they put in is kept up to 100.
    pub percent: u32,
    /// Each second puts in so many, whatever the number of calls, or a client with few of them
    /// could send nothing again; what time puts in is kept up to that of ten seconds, and there
    /// at the beginning.
    pub per_second: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            percent: 20,
            per_second: 10,
        }
    }
}

/// What one attempt takes of what calls put in, in hundredths.
const OF_CALLS: u64 = 100;
/// The most that calls put in.
const MOST_OF_CALLS: u64 = 100 * OF_CALLS;
/// What one attempt takes of what time puts in, in millionths.
const OF_TIME: u64 = 1_000_000;
/// The most that time puts in, as time.
const MOST_TIME: Duration = Duration::from_secs(10);

/// What is left of a [`RetryBudget`].
#[derive(Debug)]
pub(crate) struct Budget {
    budget: RetryBudget,
    left: Mutex<Left>,
}

#[derive(Debug)]
struct Left {
    /// Of what calls put in.
    calls: u64,
    /// Of what time puts in.
    time: u64,
    /// Until when time has put in.
    at: Instant,
}

impl Budget {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        let left = Left {
            calls: 0,
            time: budget.over(MOST_TIME),
            at: Instant::now(),
        };
        Self {
            budget,
            left: Mutex::new(left),
        }
    }

    /// A call begins.
    pub(crate) fn call(&self) {
        let mut left = self.lock();
        let calls = left.calls + u64::from(self.budget.percent);
        left.calls = calls.min(MOST_OF_CALLS);
    }

    /// Takes what it costs to send something again, if that is there.
    pub(crate) fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut left = self.lock();
        let passed = now.saturating_duration_since(left.at).min(MOST_TIME);
        let time = left.time + self.budget.over(passed);
        left.time = time.min(self.budget.over(MOST_TIME));
        left.at = now;
        if left.time >= OF_TIME {
            left.time -= OF_TIME;
        } else if left.calls >= OF_CALLS {
            left.calls -= OF_CALLS;
        } else {
            return false;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RetryBudget {
    /// What so much time puts in, which is no more than [`MOST_TIME`].
    fn over(self, time: Duration) -> u64 {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        u64::from(self.per_second).saturating_mul(micros)
    }
}
