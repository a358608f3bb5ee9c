//! Stopped Workers are forgotten after a while, and so are answers to commands.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use yoi_protocol::{Timestamp, WorkerStatus};

use super::Inner;
use super::slot::Slot;
use crate::store::LogId;

/// How often to look when nobody asks for anything.
const LOOK_EVERY: Duration = Duration::from_secs(60);

impl Inner {
    /// A Worker was stopped at `at`.
    pub(super) fn stopped(&self, slot: &Slot, at: Timestamp) {
        self.stopped_set().insert((at, slot.log.clone()));
    }

    /// Forgets those whose time is over. Costs nothing when there are none, so every read and
    /// every command does it first: what is said never depends on when somebody last looked.
    pub(super) fn forget_due(self: &Arc<Self>) {
        let now = self.clock.now();
        while let Some(log) = self.take_due(now) {
            let forgotten = {
                let mut catalog = self.catalog_mut();
                let is_this_life = catalog
                    .get(&log.worker_id)
                    .is_some_and(|slot| slot.log == log);
                is_this_life.then(|| catalog.remove(&log.worker_id))
            };
            if forgotten.is_some() {
                self.counts.moved(Some(WorkerStatus::Stopped), None);
            }
            let inner = Arc::clone(self);
            tokio::spawn(async move { inner.forget(log).await });
        }
    }

    async fn forget(&self, log: LogId) {
        if let Err(error) = self.store.forget(&log).await {
            // It is gone from memory, and the next start tries again.
            tracing::warn!(worker_id = %log.worker_id, %error, "the log of a worker is not dropped");
        }
    }

    fn take_due(&self, now: Timestamp) -> Option<LogId> {
        let mut stopped = self.stopped_set();
        let (at, _) = stopped.first()?;
        if now.ms_since(*at) < self.limits.retain_stopped_ms {
            return None;
        }
        stopped.pop_first().map(|(_, log)| log)
    }

    fn stopped_set(&self) -> MutexGuard<'_, BTreeSet<(Timestamp, LogId)>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets also while nobody asks, for as long as the Runtime is there.
    pub(super) fn keep_forgetting(self: &Arc<Self>) {
        let inner = Arc::downgrade(self);
        let closed = self.closed.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = closed.cancelled() => return,
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                match inner.upgrade() {
                    Some(inner) => {
                        inner.forget_due();
                        inner.keys.expire(inner.clock.now());
                    }
                    None => return,
                }
            }
        });
    }
}
