//! How long things may take.

use std::time::Duration;

use yoi_client::{RetryPolicy, Timeouts};

/// How patient the Backend of the matrix is, and how much happens at a time.
///
/// Short times make a quick matrix. Too short ones make a fault of what is only a busy machine.
///
/// ```
/// use yoi_testkit::matrix::Pace;
///
/// let mut gentle = Pace::default();
/// gentle.stages_at_once = 4;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Pace {
    /// The Backend's times for each part of a call.
    pub timeouts: Timeouts,
    /// How often the Backend tries.
    pub retry: RetryPolicy,
    /// How long an observation may be silent before the Backend counts it as lost.
    pub idle: Duration,
    /// How long the caller waits, as it says in `yoi-deadline-ms`.
    pub deadline: Duration,
    /// How late is late, but in time.
    pub slow: Duration,
    /// How long a watcher waits for the next frame before it says that the stream goes on. More
    /// than `idle`, or a stream that dies of silence seems to live.
    pub quiet: Duration,
    /// How much longer than it must a call may take on a busy machine before that is wrong.
    pub slack: Duration,
    /// How many Backends there are at a time.
    pub stages_at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeouts: Timeouts {
                connect: Duration::from_millis(1000),
                response: Duration::from_millis(1000),
                request: Duration::from_secs(5),
            },
            retry: RetryPolicy {
                max_attempts: 2,
                base: Duration::from_millis(1),
                max: Duration::from_millis(2),
            },
            idle: Duration::from_millis(1200),
            deadline: Duration::from_secs(8),
            slow: Duration::from_millis(20),
            quiet: Duration::from_millis(2500),
            slack: Duration::from_secs(3),
            stages_at_once: 32,
        }
    }
}
