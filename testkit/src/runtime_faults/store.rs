//! A store that is ill.

use std::sync::Arc;

use async_trait::async_trait;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record, StoreError};
use worker_runtime::{Condition, Store, WorkerState};
use yoi_protocol::{Diagnostic, Timestamp};

use super::ward::Ward;
use crate::fault::Malady;
use crate::{Reads, TestStore};

/// A store, as the maladies of a ward let it be.
#[derive(Debug)]
pub(super) struct IllStore {
    pub(super) store: Arc<TestStore>,
    pub(super) ward: Arc<Ward>,
}

impl IllStore {
    async fn begin_write(&self) -> Result<(), StoreError> {
        let writes = |malady: &Malady| matches!(malady, Malady::Writes(_) | Malady::WritesHang);
        while let Some(case) = self.ward.meet(writes) {
            match &case.malady {
                Malady::Writes(error) => return Err(error.clone()),
                // Another may wait for what has waited so long.
                _ => self.ward.until_ended(&case).await,
            }
        }
        Ok(())
    }

    async fn begin_read(&self) -> Result<(), StoreError> {
        let reads = |malady: &Malady| matches!(malady, Malady::Reads(_));
        let case = self.ward.meet(reads);
        match case.as_deref().map(|case| &case.malady) {
            Some(Malady::Reads(Reads::Fail(error))) => Err(error.clone()),
            Some(Malady::Reads(Reads::Hang)) => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Store for IllStore {
    fn kind(&self) -> &'static str {
        self.store.kind()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.store.diagnostics()
    }

    fn condition(&self) -> Condition {
        self.store.condition()
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        self.store.recover(take).await
    }

    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        self.begin_write().await?;
        self.store.commit(record, after).await
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.begin_read().await?;
        self.store.events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.begin_read().await?;
        self.store.entries(log, range).await
    }

    /// No malady has anything to do with it: what cannot be read is in a log.
    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.store.answer(key).await
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.store.expire_answers(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        self.store.forget(log).await
    }
}
