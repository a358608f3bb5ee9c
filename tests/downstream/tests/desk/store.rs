//! A store of one's own keeps the guarantees that a Runtime relies on, and is used as expected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, MemoryStore, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Operation, Timestamp};
use yoi_testkit::contract::store;
use yoi_testkit::{Fault, FaultProxy, TestBackend, TestRuntime};

use crate::{desk_before, worker_of};

/// Keeps logs in memory, and meters how often it is written to.
struct Metered {
    memory: MemoryStore,
    commits: AtomicUsize,
}

impl Metered {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStore::new(10_000, 1 << 20),
            commits: AtomicUsize::new(0),
        })
    }

    fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_metered_store_keeps_the_contract() {
    store::check(async || Metered::new() as Arc<dyn Store>).await;
}

/// The meter tells it from outside: a question whose answer was lost is written once.
#[tokio::test]
async fn a_question_is_written_once() {
    let mut writes = Vec::new();
    for lost in [false, true] {
        let metered = Metered::new();
        let store = Arc::clone(&metered) as Arc<dyn Store>;
        let runtime = TestRuntime::builder("gpu-1").store(store).start().await;
        let link = FaultProxy::to(&runtime).await;
        let backend = TestBackend::builder().remote(&link).start().await;
        let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

        let fault = Fault::NotHttp.on(Operation::SendInput).first(1);
        let fault = lost.then(|| link.inject(fault));
        desk.ask(&worker, "hello").await.unwrap();
        drop(fault);
        writes.push(metered.commits());
    }
    assert_eq!(writes[0], writes[1]);
}

#[async_trait]
impl Store for Metered {
    fn kind(&self) -> &'static str {
        "metered"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.memory.diagnostics()
    }

    fn condition(&self) -> Condition {
        self.memory.condition()
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        self.memory.recover(take).await
    }

    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
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
