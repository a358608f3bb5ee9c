//! The locks and tasks whose every interleaving is tried: the usual ones, unless built to be tried.

use std::future::Future;

use tokio_util::task::TaskTracker;

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(all(test, shuttle))]
pub(crate) use yoi_interleavings::{Mutex, MutexGuard};

/// Spawns a task that `tasks` keeps track of.
pub(crate) fn spawn(tasks: &TaskTracker, task: impl Future<Output = ()> + Send + 'static) {
    #[cfg(not(all(test, shuttle)))]
    tasks.spawn(task);
    #[cfg(all(test, shuttle))]
    yoi_interleavings::spawn(tasks.track_future(task));
}
