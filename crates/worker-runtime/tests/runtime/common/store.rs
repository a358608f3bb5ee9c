//! A store that survives its Runtime, and fails when it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use worker_runtime::store::{EntryPage, EventPage, LogId, Range, Record};
use worker_runtime::{MemoryStore, Store, StoreError};
use yoi_protocol::Diagnostic;

/// Keeps every record, as a file would, and reads from memory.
pub(crate) struct TestStore {
    memory: MemoryStore,
    records: Mutex<Vec<Record>>,
    fail: Mutex<Option<StoreError>>,
    /// Commits that may go on; each takes one when the store is held.
    gate: Semaphore,
    is_held: Mutex<bool>,
}

impl TestStore {
    pub(crate) fn new() -> Arc<Self> {
        Self::holding(Vec::new())
    }

    /// A store that finds these records, as after a restart.
    pub(crate) fn holding(records: Vec<Record>) -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStore::new(u64::MAX),
            records: Mutex::new(records),
            fail: Mutex::default(),
            gate: Semaphore::new(0),
            is_held: Mutex::new(false),
        })
    }

    /// The same records in a new store, as the next process would find them.
    pub(crate) fn reopened(&self) -> Arc<Self> {
        Self::holding(self.records())
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// Every commit fails so, until it is told otherwise.
    pub(crate) fn fail_with(&self, error: Option<StoreError>) {
        *self.fail.lock().unwrap() = error;
    }

    /// Commits wait from now on.
    pub(crate) fn hold(&self) {
        *self.is_held.lock().unwrap() = true;
    }

    /// Commits go on.
    pub(crate) fn release(&self) {
        *self.is_held.lock().unwrap() = false;
        self.gate.add_permits(1000);
    }
}

#[async_trait]
impl Store for TestStore {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn recover(&self, take: &mut (dyn FnMut(Record) + Send)) -> Result<(), StoreError> {
        for record in self.records() {
            self.memory.commit(record.clone()).await?;
            take(record);
        }
        Ok(())
    }

    async fn commit(&self, record: Record) -> Result<(), StoreError> {
        let is_held = *self.is_held.lock().unwrap();
        if is_held {
            self.gate.acquire().await.unwrap().forget();
        }
        if let Some(error) = self.fail.lock().unwrap().clone() {
            return Err(error);
        }
        self.memory.commit(record.clone()).await?;
        self.records.lock().unwrap().push(record);
        Ok(())
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.memory.events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.memory.entries(log, range).await
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        self.records
            .lock()
            .unwrap()
            .retain(|record| record.log != *log);
        self.memory.forget(log).await
    }
}
