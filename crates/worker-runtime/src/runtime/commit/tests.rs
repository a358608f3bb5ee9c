//! What is told is true: a change is counted, then seen, then answered.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use yoi_protocol::{
    CreateWorker, Diagnostic, IdempotencyKey, InputKind, InputRequest, Operation, RuntimeId,
    Timestamp, WorkerId,
};

use crate::fold::WorkerState;
use crate::idempotency::{Claimed, Hash, hash_body, hash_key};
use crate::runtime::{CommandContext, Runtime};
use crate::store::{
    Condition, EntryPage, EventPage, KeyRecord, LogId, MemoryStore, Range, Record, Store,
    StoreError,
};

/// Longer than any step takes; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for an answer that is given too early to be seen.
const A_WHILE: Duration = Duration::from_millis(100);

/// Says when it has written a record, and returns only when the test lets it.
struct SteppedStore {
    memory: MemoryStore,
    written: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

#[async_trait]
impl Store for SteppedStore {
    fn kind(&self) -> &'static str {
        "stepped"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
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
        self.memory.commit(record, after).await?;
        // When the test is over, nobody is at the other end, and nothing is held up.
        let _ = self.written.lock().unwrap().send(());
        let _ = self.go_on.lock().unwrap().recv();
        Ok(())
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

/// A Runtime on threads of its own, so that the test can hold what they wait for.
struct Scene {
    runtime: Runtime,
    written: Receiver<()>,
    go_on: Sender<()>,
    tokio: tokio::runtime::Runtime,
}

impl Scene {
    fn start() -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (written_sender, written) = channel();
        let (go_on, go_on_receiver) = channel();
        let store = SteppedStore {
            memory: MemoryStore::new(u64::MAX, u64::MAX),
            written: Mutex::new(written_sender),
            go_on: Mutex::new(go_on_receiver),
        };
        let builder = Runtime::builder(RuntimeId::parse("rt").unwrap()).store(Arc::new(store));
        let runtime = tokio.block_on(builder.start()).unwrap();
        Self {
            runtime,
            written,
            go_on,
            tokio,
        }
    }

    fn create(&self) -> JoinHandle<bool> {
        let runtime = self.runtime.clone();
        self.tokio
            .spawn(async move { runtime.create_worker(create(), keyed()).await.is_ok() })
    }

    fn send(&self) -> JoinHandle<bool> {
        let runtime = self.runtime.clone();
        self.tokio
            .spawn(async move { runtime.send_input(&w(), input(), keyed()).await.is_ok() })
    }

    fn until_written(&self) {
        self.written.recv_timeout(PATIENCE).expect("a record");
    }

    fn go_on(&self) {
        self.go_on.send(()).expect("the store waits");
    }

    fn until_done(&self, command: JoinHandle<bool>) {
        let done = self
            .tokio
            .block_on(async { tokio::time::timeout(PATIENCE, command).await });
        assert!(done.expect("answered in time").unwrap(), "it was refused");
    }

    fn is_answered(&self, key: Hash, body: Hash) -> bool {
        let now = self.runtime.inner.clock.now();
        let claim = self.runtime.inner.keys.claim(key, body, now);
        matches!(claim.now_or_never(), Some(Ok(Claimed::Answered(_))))
    }

    fn assert_not_answered(&self, key: Hash, body: Hash) {
        let end = Instant::now() + A_WHILE;
        while Instant::now() < end {
            assert!(
                !self.is_answered(key, body),
                "the key has its answer before that is true"
            );
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

fn w() -> WorkerId {
    WorkerId::parse("w").unwrap()
}

fn create() -> CreateWorker {
    CreateWorker {
        worker_id: Some(w()),
        ..CreateWorker::default()
    }
}

fn input() -> InputRequest {
    InputRequest {
        content: "go".to_owned(),
        kind: Some(InputKind::User),
    }
}

fn key() -> IdempotencyKey {
    IdempotencyKey::parse("k").unwrap()
}

fn keyed() -> CommandContext {
    CommandContext {
        key: Some(key()),
        deadline: None,
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "never {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn a_worker_is_counted_then_there_then_its_create_is_answered() {
    let scene = Scene::start();
    let key = hash_key(Operation::CreateWorker, None, &key());
    let body = hash_body(&create()).unwrap();
    let created = scene.create();
    scene.until_written();
    let nothing_comes_in = scene.runtime.inner.catalog();
    scene.go_on();
    wait_until("counted", || scene.runtime.inner.counts.now().idle == 1);
    scene.assert_not_answered(key, body);
    drop(nothing_comes_in);
    scene.until_done(created);
    assert!(scene.is_answered(key, body));
}

#[test]
fn a_change_is_counted_then_seen_then_its_command_is_answered() {
    let scene = Scene::start();
    let created = scene.create();
    scene.until_written();
    scene.go_on();
    scene.until_done(created);

    let key = hash_key(Operation::SendInput, Some(&w()), &key());
    let body = hash_body(&input()).unwrap();
    let sent = scene.send();
    scene.until_written();
    let slot = scene.runtime.inner.slot(&w()).unwrap();
    let nothing_is_seen = slot.live();
    scene.go_on();
    wait_until("counted", || scene.runtime.inner.counts.now().running == 1);
    scene.assert_not_answered(key, body);
    drop(nothing_is_seen);
    scene.until_done(sent);
    assert!(scene.is_answered(key, body));
}
