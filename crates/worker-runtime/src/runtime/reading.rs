//! Reading the store: in the Runtime's own time, and with the cause of a failure in the log.

use std::future::Future;

use tokio::time::{Instant, timeout_at};
use yoi_protocol::Effect;

use super::Inner;
use crate::error::RuntimeError;
use crate::store::{EntryPage, EventPage, LogId, Range, StoreError};

impl Inner {
    /// When a read that begins now is given up.
    pub(super) fn read_limit(&self) -> Instant {
        self.limit_for(None)
    }

    pub(super) async fn events(
        &self,
        log: &LogId,
        range: Range,
    ) -> Result<EventPage, RuntimeError> {
        logged(log, self.store.events(log, range).await)
    }

    pub(super) async fn entries(
        &self,
        log: &LogId,
        range: Range,
    ) -> Result<EntryPage, RuntimeError> {
        logged(log, self.store.entries(log, range).await)
    }
}

/// Gives up a read, and all it asks of the store, at `limit`.
pub(super) async fn by<T>(
    limit: Instant,
    log: &LogId,
    read: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    match timeout_at(limit, read).await {
        Ok(read) => read,
        Err(_) => {
            tracing::warn!(worker_id = %log.worker_id, "the store was not read in time");
            Err(RuntimeError::TimedOut {
                effect: Effect::None,
            })
        }
    }
}

/// Callers are told that the store failed; why is for the log alone.
fn logged<T>(log: &LogId, read: Result<T, StoreError>) -> Result<T, RuntimeError> {
    read.map_err(|error| {
        tracing::error!(worker_id = %log.worker_id, %error, "the store could not be read");
        error.into()
    })
}
