//! Where the wall-clock time of events comes from.

use yoi_protocol::Timestamp;

/// Tells the time of events and of everything that is kept for a while.
///
/// Injected, so that tests repeat. Deadlines and grace times do not come from here but from
/// tokio's clock.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
