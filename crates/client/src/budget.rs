//! How much is sent again over all calls of a client, so that many callers of a server in trouble do
//! not multiply what it has to bear.

use std::fmt;
use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

/// How long a call counts.
const WINDOW: Duration = Duration::from_secs(10);

/// How many attempts beyond the first a client makes, over all its calls of the last ten seconds.
///
/// When it is used up, calls end with the failure of their first attempt. Sending a request once
/// more with a credential that was read again is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// So many for a hundred calls; at most [`MAX_PERCENT`](Self::MAX_PERCENT) counts.
    pub percent: u32,
    /// And so many a second whatever the number of calls, or a client with few of them could send
    /// nothing again; at most [`MAX_PER_SECOND`](Self::MAX_PER_SECOND) counts.
    pub per_second: u32,
}

impl RetryBudget {
    /// Ten more for each call.
    pub const MAX_PERCENT: u32 = 1_000;
    /// As good as no bound.
    pub const MAX_PER_SECOND: u32 = 1_000_000;
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            percent: 20,
            per_second: 10,
        }
    }
}

/// What is left of a [`RetryBudget`].
pub(crate) struct Budget(TpsBudget);

impl Budget {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        let RetryBudget {
            percent,
            per_second,
        } = budget;
        let percent = percent.min(RetryBudget::MAX_PERCENT) as f32 / 100.0;
        let per_second = per_second.min(RetryBudget::MAX_PER_SECOND);
        Self(TpsBudget::new(WINDOW, per_second, percent))
    }

    /// A call begins.
    pub(crate) fn call(&self) {
        self.0.deposit();
    }

    /// Takes what it costs to send something again, if that is left.
    pub(crate) fn take(&self) -> bool {
        self.0.withdraw()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budget(..)")
    }
}
