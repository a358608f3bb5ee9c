//! Clearing away the Workers that were made.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use yoi_protocol::{Code, StopRequest, WorkerId};

use super::Bench;
use crate::subject::Subject as _;

/// How long stopping the Workers of one check may take, at most.
const TIDYING: Duration = Duration::from_secs(5);
/// How many Workers are stopped at a time.
const AT_ONCE: usize = 16;

impl Bench {
    /// Stops every Worker that was made here, several at a time and not for long. What cannot be
    /// stopped is [`left_behind`](Self::left_behind).
    pub async fn tidy(&self) {
        let made: BTreeSet<WorkerId> = self.subject.take().into_iter().collect();
        let left = self.stop_all(made).await;
        self.left().extend(left);
    }

    /// Tries again to stop what could not be stopped, and gives what still runs, or may. Empty
    /// for a Runtime that stops what it is told to.
    pub async fn left_behind(&self) -> Vec<WorkerId> {
        self.tidy().await;
        let left: BTreeSet<WorkerId> = self.left().drain(..).collect();
        self.stop_all(left).await
    }

    /// Stops these together; gives those of which it is not known that they are stopped or gone.
    async fn stop_all(&self, workers: BTreeSet<WorkerId>) -> Vec<WorkerId> {
        let left = Mutex::new(workers.clone());
        let body = StopRequest::default();
        let stops = stream::iter(workers).for_each_concurrent(AT_ONCE, async |worker_id| {
            let is_gone = match self.subject.stop(&worker_id, &body, None).await {
                Ok(_) => true,
                // What is not there needs no stop.
                Err(failure) => failure.code == Code::WorkerNotFound,
            };
            if is_gone {
                left.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&worker_id);
            }
        });
        // Who is not done by then is told below.
        let _ = timeout(self.patience.min(TIDYING), stops).await;
        let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.into_iter().collect()
    }

    fn left(&self) -> MutexGuard<'_, Vec<WorkerId>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
