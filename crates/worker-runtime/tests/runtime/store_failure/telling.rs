//! A store that says things of itself.

use std::sync::Arc;

use async_trait::async_trait;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, MemoryStore, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Severity, Timestamp};

/// Keeps logs, and says whatever it was told to say.
pub(super) struct Telling {
    memory: MemoryStore,
    condition: Condition,
    says: Vec<Diagnostic>,
}

impl Telling {
    pub(super) fn new(condition: Condition, codes: &[&str]) -> Self {
        let says = codes.iter().map(|code| Diagnostic {
            severity: Severity::Warning,
            code: (*code).to_owned(),
            message: "so it is".to_owned(),
        });
        Self {
            memory: MemoryStore::new(1_000, 1 << 20),
            condition,
            says: says.collect(),
        }
    }
}

#[async_trait]
impl Store for Telling {
    fn kind(&self) -> &'static str {
        "telling"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.says.clone()
    }

    fn condition(&self) -> Condition {
        self.condition
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        self.memory.recover(take).await
    }

    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        self.memory.commit(record, after).await
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.memory.events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.memory.entries(log, range).await
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.memory.answer(key).await
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.memory.expire_answers(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        self.memory.forget(log).await
    }
}
