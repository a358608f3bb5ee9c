//! Commit, apply, publish: the one way in which anything changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use yoi_protocol::{Effect, Event, Timestamp, WorkerStatus};

use super::Inner;
use super::command::Remembered;
use super::slot::{Draft, Slot};
use crate::error::RuntimeError;
use crate::fold::WorkerState;
use crate::store::{Record, StoreError};

impl Inner {
    /// What `events` would lead to, from where the Worker is now.
    pub(super) fn draft(
        &self,
        slot: &Slot,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<Draft, RuntimeError> {
        slot.live().draft(at, events).map_err(|fault| {
            tracing::error!(worker_id = %slot.log.worker_id, %fault, "a decision does not add up");
            RuntimeError::Internal
        })
    }

    /// Commits a draft and the answers that belong to it, then applies and publishes it. The
    /// caller holds the Worker's gate since before it made the draft.
    pub(super) async fn commit(
        &self,
        slot: &Arc<Slot>,
        draft: Draft,
        answers: Vec<Remembered>,
    ) -> Result<(), RuntimeError> {
        let record = Record {
            log: slot.log.clone(),
            events: draft.events.clone(),
            keys: answers.iter().map(|answer| answer.record.clone()).collect(),
        };
        self.write(record, Arc::clone(&draft.next)).await?;
        let (before, after) = (draft.before, draft.next.worker.status);
        let at = draft.next.worker.updated_at;
        // In this order: what can be seen is counted, and what an answer tells can be seen.
        self.counts.moved(Some(before), Some(after));
        slot.publish(draft);
        if before != after && after == WorkerStatus::Stopped {
            self.stopped(slot, at);
        }
        drop(answers);
        Ok(())
    }

    /// Writes a record, and what its log adds up to with it; takes no more once the store cannot
    /// tell what it kept.
    pub(super) async fn write(
        &self,
        record: Record,
        after: Arc<WorkerState>,
    ) -> Result<(), StoreError> {
        if record.events.is_empty() && record.keys.is_empty() {
            return Ok(());
        }
        if self.has_store_failed() {
            return Err(StoreError::Refused("it failed before"));
        }
        let worker_id = record.log.worker_id.clone();
        let written = self.store.commit(record, after).await;
        if let Err(error) = &written {
            tracing::error!(%worker_id, %error, "the store did not take a record");
            if error.effect() == Effect::Unknown {
                self.store_failed.store(true, Ordering::SeqCst);
            }
        }
        written
    }
}

#[cfg(test)]
mod tests;
