//! `TestStore`, under a Runtime of the library.

use std::sync::Arc;
use std::time::Duration;

use worker_runtime::store::{LogId, Range, Record};
use worker_runtime::{
    CommandContext, Condition, IdSource, Readiness, Runtime, RuntimeError, Store, StoreError,
    WorkerState,
};
use yoi_protocol::{
    CreateWorker, Effect, IdempotencyKey, RuntimeId, StopRequest, TranscriptQuery, WorkerId,
};
use yoi_testkit::fixtures::bodies;
use yoi_testkit::{ManualClock, Reads, SequentialIds, TestStore};

const ALL: Range = Range {
    after: 0,
    until: u64::MAX,
    max_items: usize::MAX,
    max_bytes: u64::MAX,
};

async fn on(store: &Arc<TestStore>) -> Runtime {
    let id = RuntimeId::parse("local").unwrap();
    let started = Runtime::builder(id).store(store.clone()).start().await;
    started.unwrap()
}

async fn create(runtime: &Runtime) -> Result<WorkerId, RuntimeError> {
    let created = runtime.create_worker(CreateWorker::default(), CommandContext::default());
    created.await.map(|created| created.value.worker_id)
}

#[tokio::test]
async fn it_fails_once_or_until_it_is_healed() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    store.fail_once(StoreError::Refused("full"));
    assert!(create(&runtime).await.is_err());
    assert!(create(&runtime).await.is_ok());
    store.fail(StoreError::Refused("full"));
    assert!(create(&runtime).await.is_err());
    assert!(create(&runtime).await.is_err());
    store.heal();
    assert!(create(&runtime).await.is_ok());
    assert_eq!((store.records().len(), store.told()), (2, 3));
}

async fn create_under(runtime: &Runtime, key: &str) -> Result<(WorkerId, bool), RuntimeError> {
    let context = CommandContext {
        key: Some(IdempotencyKey::parse(key).unwrap()),
        deadline: None,
    };
    let created = runtime.create_worker(CreateWorker::default(), context);
    let created = created.await?;
    Ok((created.value.worker_id, created.replayed))
}

#[tokio::test]
async fn what_it_could_not_tell_of_and_kept_is_there_after_a_restart_with_its_key() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    store.fail_once_but_keep("the fsync failed");
    let error = create_under(&runtime, "once").await.unwrap_err();
    assert_eq!(error.failure().effect, Effect::Unknown);
    // Nobody is told of it before.
    assert_eq!(runtime.info().workers.total, 0);
    assert_eq!((store.records().len(), store.told()), (1, 1));
    let log = store.records()[0].log.clone();
    assert!(store.events(&log, ALL).await.unwrap().events.is_empty());
    let next = on(&store.reopened()).await;
    assert!(next.get_worker(&log.worker_id).await.is_ok());
    let again = create_under(&next, "once").await.unwrap();
    assert_eq!(again, (log.worker_id, true));
}

#[tokio::test]
async fn what_it_could_not_tell_of_and_lost_is_not_there_and_its_key_is_free() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    store.fail_once(StoreError::Uncertain("the fsync failed"));
    assert!(create_under(&runtime, "once").await.is_err());
    let next = on(&store.reopened()).await;
    assert_eq!(next.info().workers.total, 0);
    let (_, is_replayed) = create_under(&next, "once").await.unwrap();
    assert!(!is_replayed);
}

/// What no store of these tests looks at.
fn state() -> Arc<WorkerState> {
    Arc::new(WorkerState::resume(bodies::worker_created(), 1))
}

#[tokio::test]
async fn it_is_damaged_until_it_is_healed_and_failed_before_all() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    store.damage();
    assert_eq!(runtime.readiness(), Readiness::StoreDamaged);
    assert!(create(&runtime).await.is_ok(), "it takes records");
    assert_eq!(store.reopened().condition(), Condition::Sound);
    store.heal();
    assert_eq!(store.condition(), Condition::Sound);
    store.damage();
    store.fail_once(StoreError::Uncertain("the fsync failed"));
    assert!(create(&runtime).await.is_err());
    assert_eq!(store.condition(), Condition::Failed);
    store.heal();
    assert_eq!(store.condition(), Condition::Failed);
}

#[tokio::test]
async fn records_that_do_not_add_up_are_damaged() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    let worker = create(&runtime).await.unwrap();
    let stop = StopRequest::default();
    let stopped = runtime.stop_worker(&worker, stop, CommandContext::default());
    stopped.await.unwrap();
    let mut records = store.records();
    records[1].events.remove(0);
    let recovered = TestStore::holding(records).recover(&mut |_, _| {}).await;
    let damaged = format!("the log of worker {worker}: events are numbered without holes");
    assert_eq!(recovered, Err(StoreError::Damaged(damaged)));
}

#[tokio::test]
async fn it_takes_nothing_more_once_it_cannot_tell_what_it_kept() {
    for keeps in [true, false] {
        let store = TestStore::new();
        let record = |number| Record {
            log: LogId {
                worker_id: WorkerId::parse("w-1").unwrap(),
                life: uuid::Uuid::from_u128(number),
            },
            events: Vec::new(),
            keys: Vec::new(),
        };
        assert_eq!(store.condition(), Condition::Sound);
        match keeps {
            true => store.fail_once_but_keep("the fsync failed"),
            false => store.fail_once(StoreError::Uncertain("the fsync failed")),
        }
        let error = store.commit(record(1), state()).await.unwrap_err();
        assert_eq!(error, StoreError::Uncertain("the fsync failed"));
        store.heal();
        for number in [1, 2] {
            let refused = store.commit(record(number), state()).await.unwrap_err();
            assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
        }
        assert_eq!(
            (store.records().len(), store.told()),
            (usize::from(keeps), 3)
        );
        assert_eq!(store.condition(), Condition::Failed);
        let next = store.reopened();
        assert_eq!(next.condition(), Condition::Sound);
        assert!(next.commit(record(2), state()).await.is_ok());
        // Or the same store, for the Runtime that starts next.
        store.recover(&mut |_, _| {}).await.unwrap();
        assert_eq!(store.condition(), Condition::Sound);
        assert!(store.commit(record(2), state()).await.is_ok());
    }
}

#[tokio::test]
async fn it_holds_what_is_to_be_kept_until_it_is_released() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    store.hold();
    let creating = tokio::spawn({
        let runtime = runtime.clone();
        async move { create(&runtime).await }
    });
    store.until_held().await;
    assert!(store.records().is_empty() && !creating.is_finished());
    store.release();
    assert!(creating.await.unwrap().is_ok());
    assert_eq!(store.told(), 1);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no commit waited within 30ms")]
async fn what_is_not_held_is_not_waited_for_in_vain() {
    let soon = Duration::from_millis(30);
    TestStore::new().until_held_within(soon).await;
}

#[tokio::test]
async fn a_commit_that_is_given_up_does_not_count_as_waiting() {
    let store = TestStore::new();
    store.hold();
    let log = LogId {
        worker_id: WorkerId::parse("w-1").unwrap(),
        life: SequentialIds::new().next(),
    };
    let record = Record {
        log,
        events: Vec::new(),
        keys: Vec::new(),
    };
    let committing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(record, state()).await }
    });
    store.until_held().await;
    committing.abort();
    assert!(committing.await.unwrap_err().is_cancelled());
    assert!(format!("{store:?}").contains("waiting: 0"), "{store:?}");
}

#[tokio::test]
async fn reads_fail_or_hang_as_told() {
    let store = TestStore::new();
    let runtime = on(&store).await;
    let worker = create(&runtime).await.unwrap();
    store.read(Reads::Fail(StoreError::Refused("gone")));
    let query = TranscriptQuery::default();
    assert!(runtime.transcript(&worker, &query).await.is_err());
    store.read(Reads::Hang);
    let hangs = runtime.transcript(&worker, &query);
    let hangs = tokio::time::timeout(Duration::from_millis(20), hangs);
    assert!(hangs.await.is_err());
    store.read(Reads::Well);
    assert!(runtime.transcript(&worker, &query).await.is_ok());
    assert_eq!(store.told(), 2);
}

#[tokio::test]
async fn what_is_forgotten_leaves_its_keys() {
    let store = TestStore::new();
    let clock = ManualClock::new();
    let start = async || {
        let id = RuntimeId::parse("local").unwrap();
        let builder = Runtime::builder(id).store(store.clone());
        builder.clock(clock.clone()).start().await.unwrap()
    };
    let runtime = start().await;
    let keyed = CommandContext {
        key: Some(IdempotencyKey::parse("once").unwrap()),
        deadline: None,
    };
    let first = runtime
        .create_worker(CreateWorker::default(), keyed.clone())
        .await
        .unwrap()
        .value;
    let stop = StopRequest::default();
    let stopped = runtime.stop_worker(&first.worker_id, stop, CommandContext::default());
    stopped.await.unwrap();
    let log = store.records()[0].log.clone();
    store.forget(&log).await.unwrap();

    let range = Range {
        after: 0,
        until: u64::MAX,
        max_items: 10,
        max_bytes: 1000,
    };
    let events = store.events(&log, range).await.unwrap();
    assert_eq!((events.first_seq, events.events.len()), (1, 0));
    let kept = store.records();
    assert_eq!((kept.len(), kept[0].events.len()), (1, 0));
    // The next Runtime knows the key and not the Worker.
    let next = start().await;
    assert!(next.get_worker(&first.worker_id).await.is_err());
    let again = next.create_worker(CreateWorker::default(), keyed).await;
    assert!(again.unwrap().replayed);
}

#[tokio::test]
async fn the_next_runtime_finds_no_record_twice() {
    let store = TestStore::new();
    let worker = create(&on(&store).await).await.unwrap();
    let range = Range {
        after: 0,
        until: u64::MAX,
        max_items: 10,
        max_bytes: 10_000,
    };
    let log = store.records()[0].log.clone();
    for _ in 0..3 {
        assert!(on(&store).await.get_worker(&worker).await.is_ok());
        let page = store.events(&log, range).await.unwrap();
        assert_eq!(page.events.len(), 1);
    }
    // A copy goes its own way.
    let copy = store.reopened();
    let other = on(&copy).await;
    create(&other).await.unwrap();
    assert_eq!((store.records().len(), copy.records().len()), (1, 2));
}

#[tokio::test]
async fn identifiers_count_and_time_stands_until_it_is_moved() {
    let (ids, clock) = (SequentialIds::new(), ManualClock::new());
    let id = RuntimeId::parse("local").unwrap();
    let runtime = Runtime::builder(id).ids(ids).clock(clock.clone());
    let runtime = runtime.start().await.unwrap();
    let first = create(&runtime).await.unwrap();
    assert_eq!(first.as_str(), "w-00000000-0000-0000-0000-000000000002");
    let created = runtime.get_worker(&first).await.unwrap().created_at;
    clock.advance(Duration::from_millis(1500));
    let next = create(&runtime).await.unwrap();
    let next = runtime.get_worker(&next).await.unwrap().created_at;
    assert_eq!(next.ms_since(created), 1500);
    clock.set(created);
    let third = create(&runtime).await.unwrap();
    let third = runtime.get_worker(&third).await.unwrap().created_at;
    assert_eq!(third, created);
}
