//! A store that survives its Runtime, and fails when it is told to.

mod folded;
mod told;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, MemoryStore, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Effect, Timestamp};

use crate::patience::{PATIENCE, within};
pub use told::Reads;
use told::{Fail, Held, Waiting};

/// Keeps every record, as a file would, and is as bad a store as its test wants.
///
/// A Runtime that starts on it finds what an earlier one was acknowledged, so a test can kill one
/// and start the next. What a test tells it holds until the test tells it otherwise.
///
/// Like every store it takes no more records once it cannot tell what it kept: after a
/// [`StoreError::Uncertain`] it refuses each, healed or not, until it is [`reopened`] or the next
/// Runtime recovers from it.
///
/// [`reopened`]: Self::reopened
///
/// ```
/// use worker_runtime::{CommandContext, Runtime, StoreError};
/// use yoi_protocol::{CreateWorker, RuntimeId};
/// use yoi_testkit::TestStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = TestStore::new();
/// let id = RuntimeId::parse("local").unwrap();
/// let runtime = Runtime::builder(id).store(store.clone()).start().await.unwrap();
/// let create = || runtime.create_worker(CreateWorker::default(), CommandContext::default());
///
/// store.fail_once(StoreError::Refused("the disk is full"));
/// assert!(create().await.is_err());
/// assert!(create().await.is_ok());
/// assert_eq!(store.records().len(), 1);
/// # }
/// ```
pub struct TestStore {
    bounds: (u64, u64),
    memory: Mutex<Arc<MemoryStore>>,
    records: Mutex<Vec<Record>>,
    fail: Mutex<Option<Fail>>,
    /// It cannot tell what it kept.
    is_uncertain: AtomicBool,
    is_damaged: AtomicBool,
    held: watch::Sender<Held>,
    reads: Mutex<Reads>,
    told: AtomicUsize,
}

impl TestStore {
    /// An empty store that keeps everything.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::holding(Vec::new())
    }

    /// An empty store that serves only the latest events of each log: up to `max_events`, and up
    /// to `max_bytes` of them as JSON. Older cursors are expired, as with a store of a Runtime
    /// with such limits.
    #[must_use]
    pub fn bounded(max_events: u64, max_bytes: u64) -> Arc<Self> {
        Self::made((max_events, max_bytes), Vec::new())
    }

    /// A store that finds these records, as after a restart.
    #[must_use]
    pub fn holding(records: Vec<Record>) -> Arc<Self> {
        Self::made((u64::MAX, u64::MAX), records)
    }

    fn made(bounds: (u64, u64), records: Vec<Record>) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            memory: Mutex::new(Arc::new(MemoryStore::new(bounds.0, bounds.1))),
            records: Mutex::new(records),
            fail: Mutex::default(),
            is_uncertain: AtomicBool::new(false),
            is_damaged: AtomicBool::new(false),
            held: watch::Sender::default(),
            reads: Mutex::default(),
            told: AtomicUsize::new(0),
        })
    }

    /// The same records in a new store, as the next process would find them. It is healthy,
    /// whatever this one was told or has met.
    #[must_use]
    pub fn reopened(&self) -> Arc<Self> {
        Self::made(self.bounds, self.records())
    }

    /// Every record that is kept, in the order of their commits.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        lock(&self.records).clone()
    }

    /// Every commit fails so from now on, until [`heal`](Self::heal). Nothing of it is kept,
    /// whatever the error says.
    pub fn fail(&self, error: StoreError) {
        self.fail_as(error, false, false);
    }

    /// The next commit fails so, and nothing of it is kept. No other fails so; but after an error
    /// that leaves open what was kept, the others are refused.
    pub fn fail_once(&self, error: StoreError) {
        self.fail_as(error, true, false);
    }

    /// The next commit fails as [`StoreError::Uncertain`], and its record is kept: whole, with its
    /// keys. As with a disk that has everything though its fsync failed, nobody reads it before
    /// the store is reopened.
    ///
    /// ```
    /// use worker_runtime::{CommandContext, Runtime};
    /// use yoi_protocol::{CreateWorker, RuntimeId};
    /// use yoi_testkit::TestStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let store = TestStore::new();
    /// let on = async |store| {
    ///     let id = RuntimeId::parse("local").unwrap();
    ///     Runtime::builder(id).store(store).start().await.unwrap()
    /// };
    /// let runtime = on(store.clone()).await;
    /// store.fail_once_but_keep("the fsync failed");
    /// let create = runtime.create_worker(CreateWorker::default(), CommandContext::default());
    /// assert!(create.await.is_err());
    /// assert_eq!(runtime.info().workers.total, 0);
    /// assert_eq!(on(store.reopened()).await.info().workers.total, 1);
    /// # }
    /// ```
    pub fn fail_once_but_keep(&self, why: &'static str) {
        self.fail_as(StoreError::Uncertain(why), true, true);
    }

    fn fail_as(&self, error: StoreError, once: bool, keeps: bool) {
        *lock(&self.fail) = Some(Fail { error, once, keeps });
    }

    /// Something that it keeps cannot be read any more, it says from now on, until
    /// [`heal`](Self::heal). What cannot be is for [`read`](Self::read) to say.
    ///
    /// ```
    /// use worker_runtime::{Readiness, Runtime};
    /// use yoi_protocol::RuntimeId;
    /// use yoi_testkit::TestStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let store = TestStore::new();
    /// let id = RuntimeId::parse("local").unwrap();
    /// let runtime = Runtime::builder(id).store(store.clone()).start().await.unwrap();
    /// store.damage();
    /// assert_eq!(runtime.readiness(), Readiness::StoreDamaged);
    /// # }
    /// ```
    pub fn damage(&self) {
        self.is_damaged.store(true, Ordering::SeqCst);
    }

    /// Commits do not fail any more, and what is kept can be read; commits of a store that cannot
    /// tell what it kept are still refused.
    pub fn heal(&self) {
        *lock(&self.fail) = None;
        self.is_damaged.store(false, Ordering::SeqCst);
    }

    /// Commits wait from now on, until [`release`](Self::release).
    pub fn hold(&self) {
        self.held.send_modify(|held| held.on = true);
    }

    /// Waits until a commit waits.
    ///
    /// # Panics
    /// When none does within 20 seconds.
    pub async fn until_held(&self) {
        self.until_held_within(PATIENCE).await;
    }

    /// The same with another patience, for a Runtime that takes long, or a test that does not.
    ///
    /// # Panics
    /// As [`until_held`](Self::until_held).
    pub async fn until_held_within(&self, patience: Duration) {
        let mut held = self.held.subscribe();
        let waits = within(patience, held.wait_for(|held| held.waiting > 0)).await;
        assert!(
            waits.is_ok(),
            "no commit waited within {patience:?}: was hold() called, and a command sent?"
        );
    }

    /// Commits go on.
    pub fn release(&self) {
        self.held.send_modify(|held| held.on = false);
    }

    /// Reads go so from now on.
    pub fn read(&self, reads: Reads) {
        *lock(&self.reads) = reads;
    }

    /// How many commits and reads failed, waited or hung because the store was told so. A test
    /// that wants a bad store and sees 0 here has not met one.
    #[must_use]
    pub fn told(&self) -> usize {
        self.told.load(Ordering::SeqCst)
    }

    fn memory(&self) -> Arc<MemoryStore> {
        Arc::clone(&lock(&self.memory))
    }

    fn tell(&self) {
        self.told.fetch_add(1, Ordering::SeqCst);
    }

    async fn begin_read(&self) -> Result<(), StoreError> {
        let reads = lock(&self.reads).clone();
        match reads {
            Reads::Well => Ok(()),
            Reads::Hang => {
                self.tell();
                std::future::pending().await
            }
            Reads::Fail(error) => {
                self.tell();
                Err(error)
            }
        }
    }

    async fn wait_while_held(&self) {
        if !self.held.borrow().on {
            return;
        }
        self.tell();
        let mut held = self.held.subscribe();
        let _waiting = Waiting::begin(&self.held);
        // The sender is ours, so it cannot be gone.
        let _ = held.wait_for(|held| !held.on).await;
    }

    /// How the commit that asks fails, if it does.
    fn fault(&self) -> Option<Fail> {
        if self.is_uncertain.load(Ordering::SeqCst) {
            self.tell();
            return Some(Fail {
                error: StoreError::Refused("it cannot tell what it kept before"),
                once: false,
                keeps: false,
            });
        }
        let mut fail = lock(&self.fail);
        let fault = fail.clone()?;
        if fault.once {
            *fail = None;
        }
        if fault.error.effect() == Effect::Unknown {
            self.is_uncertain.store(true, Ordering::SeqCst);
        }
        self.tell();
        Some(fault)
    }
}

/// What a panicking test left behind is still worth looking at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for TestStore {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn condition(&self) -> Condition {
        if self.is_uncertain.load(Ordering::SeqCst) {
            Condition::Failed
        } else if self.is_damaged.load(Ordering::SeqCst) {
            Condition::Damaged
        } else {
            Condition::Sound
        }
    }

    /// May be called again, by the next Runtime on this store.
    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        let records = self.records();
        let states = folded::fold(&records)?;
        let memory = Arc::new(MemoryStore::new(self.bounds.0, self.bounds.1));
        for record in records {
            memory.add(record);
        }
        *lock(&self.memory) = memory;
        self.is_uncertain.store(false, Ordering::SeqCst);
        for (log, state) in states {
            take(log, Arc::new(state));
        }
        Ok(())
    }

    async fn commit(&self, record: Record, _after: Arc<WorkerState>) -> Result<(), StoreError> {
        self.wait_while_held().await;
        if let Some(fault) = self.fault() {
            if fault.keeps {
                lock(&self.records).push(record);
            }
            return Err(fault.error);
        }
        self.memory().add(record.clone());
        lock(&self.records).push(record);
        Ok(())
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.begin_read().await?;
        self.memory().events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.begin_read().await?;
        self.memory().entries(log, range).await
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.begin_read().await?;
        self.memory().answer(key).await
    }

    /// They are still among the records, and there again for who recovers.
    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.memory().expire_answers(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        lock(&self.records).retain_mut(|record| {
            if record.log == *log {
                record.events.clear();
            }
            // Answers are kept for their own time.
            !(record.events.is_empty() && record.keys.is_empty())
        });
        self.memory().forget(log).await
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStore")
            .field("records", &lock(&self.records).len())
            .field("fail", &*lock(&self.fail))
            .field("is_uncertain", &self.is_uncertain)
            .field("is_damaged", &self.is_damaged)
            .field("held", &*self.held.borrow())
            .field("reads", &*lock(&self.reads))
            .finish_non_exhaustive()
    }
}
