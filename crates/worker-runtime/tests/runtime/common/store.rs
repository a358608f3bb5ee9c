//! A store that survives its Runtime, and fails when it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::watch;
use worker_runtime::store::{EntryPage, EventPage, LogId, Range, Record};
use worker_runtime::{MemoryStore, Store, StoreError};
use yoi_protocol::Diagnostic;

use super::PATIENCE;

/// Keeps every record, as a file would, and reads from memory.
pub(crate) struct TestStore {
    memory: MemoryStore,
    records: Mutex<Vec<Record>>,
    fail: Mutex<Option<(StoreError, bool)>>,
    /// Whether commits wait, and how many do.
    held: watch::Sender<(bool, usize)>,
    reads: Mutex<Reads>,
}

/// How reads go.
#[derive(Debug, Clone, Default)]
pub(crate) enum Reads {
    #[default]
    Well,
    /// They never return.
    Hang,
    Fail(StoreError),
}

impl TestStore {
    pub(crate) fn new() -> Arc<Self> {
        Self::holding(Vec::new())
    }

    /// A store that finds these records, as after a restart.
    pub(crate) fn holding(records: Vec<Record>) -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStore::new(u64::MAX, u64::MAX),
            records: Mutex::new(records),
            fail: Mutex::default(),
            held: watch::Sender::new((false, 0)),
            reads: Mutex::default(),
        })
    }

    /// The same records in a new store, as the next process would find them.
    pub(crate) fn reopened(&self) -> Arc<Self> {
        Self::holding(self.records())
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// Every commit fails so from now on, until [`TestStore::heal`].
    pub(crate) fn fail(&self, error: StoreError) {
        *self.fail.lock().unwrap() = Some((error, false));
    }

    /// The next commit fails so.
    pub(crate) fn fail_once(&self, error: StoreError) {
        *self.fail.lock().unwrap() = Some((error, true));
    }

    pub(crate) fn heal(&self) {
        *self.fail.lock().unwrap() = None;
    }

    /// Commits wait from now on.
    pub(crate) fn hold(&self) {
        self.held.send_modify(|held| held.0 = true);
    }

    /// Waits until a commit waits.
    pub(crate) async fn until_held(&self) {
        let mut held = self.held.subscribe();
        let waits = held.wait_for(|(_, waiting)| *waiting > 0);
        let waits = tokio::time::timeout(PATIENCE, waits).await;
        let _ = waits.expect("a commit waits").expect("the store is there");
    }

    /// Commits go on.
    pub(crate) fn release(&self) {
        self.held.send_modify(|held| held.0 = false);
    }

    /// Reads go so from now on.
    pub(crate) fn read(&self, reads: Reads) {
        *self.reads.lock().unwrap() = reads;
    }

    async fn begin_read(&self) -> Result<(), StoreError> {
        let reads = self.reads.lock().unwrap().clone();
        match reads {
            Reads::Well => Ok(()),
            Reads::Hang => std::future::pending().await,
            Reads::Fail(error) => Err(error),
        }
    }

    async fn wait_while_held(&self) {
        if !self.held.borrow().0 {
            return;
        }
        let mut held = self.held.subscribe();
        self.held.send_modify(|held| held.1 += 1);
        let _ = held.wait_for(|(is_held, _)| !is_held).await;
        self.held.send_modify(|held| held.1 -= 1);
    }

    fn fault(&self) -> Option<StoreError> {
        let mut fail = self.fail.lock().unwrap();
        let (error, once) = fail.clone()?;
        if once {
            *fail = None;
        }
        Some(error)
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
        self.wait_while_held().await;
        if let Some(error) = self.fault() {
            return Err(error);
        }
        self.memory.commit(record.clone()).await?;
        self.records.lock().unwrap().push(record);
        Ok(())
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.begin_read().await?;
        self.memory.events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.begin_read().await?;
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
