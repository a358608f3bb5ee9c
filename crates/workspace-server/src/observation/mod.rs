//! Watching a Worker: one live upstream for all who watch it, and each of them without gap.
//!
//! Whoever comes first opens the upstream; at `caught_up` it becomes the shared one, whose frames
//! are rewritten and serialised once and kept in a bounded ring. Whoever comes later with a
//! cursor that is still in the ring is served from it. All others are caught up over a short
//! upstream of their own, and handed over to the ring where both have the same event.
//!
//! An upstream, shared or not, is open, or waits to be opened again, or is being opened from the
//! last cursor. Its readers stay meanwhile: they are told `upstream_lost`, and `upstream_restored`
//! once what they missed is told.

mod backlog;
mod channel;
mod course;
pub(crate) mod cursor;
mod frame;
mod hub;
mod in_flight;
#[cfg(test)]
#[cfg(shuttle)]
mod interleavings;
mod joint;
mod lanes;
mod losses;
mod own;
mod pump;
mod upstream;
mod watch;

use std::time::Duration;

use crate::backoff::Backoff;
pub use frame::WatchedFrame;
pub(crate) use hub::{Hub, HubContext};
pub use watch::Watch;

/// What observation bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservationSettings {
    /// The most bytes of live frames that are kept of one watched Worker. A reader that falls
    /// further behind is told `slow_consumer`.
    pub backlog_bytes: usize,
    /// How long the shared upstream stays open after its last reader has gone, so that whoever
    /// comes back at once finds its frames.
    pub linger: Duration,
    /// The most short upstreams to one Runtime at a time, by which readers are caught up. Each
    /// Runtime has its own, so that one that hangs holds up nobody who watches another.
    pub max_catch_ups: usize,
    /// How long a reader waits for one of them before it is told `limit_reached`.
    pub catch_up_wait: Duration,
    /// How long a Runtime may keep a reader waiting, all waits together, until it has told the
    /// past. A reader's own pace does not count.
    pub catch_up_patience: Duration,
    /// How long it takes to open an upstream again that was lost.
    pub backoff: Backoff,
}

impl Default for ObservationSettings {
    fn default() -> Self {
        Self {
            backlog_bytes: 4 * 1024 * 1024,
            linger: Duration::from_secs(5),
            max_catch_ups: 256,
            catch_up_wait: Duration::from_secs(10),
            catch_up_patience: Duration::from_secs(15),
            backoff: Backoff {
                base: Duration::from_millis(200),
                max: Duration::from_secs(10),
            },
        }
    }
}
