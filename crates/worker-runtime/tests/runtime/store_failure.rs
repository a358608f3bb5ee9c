//! A store that fails changes nothing, and memory is never ahead of it.

mod telling;

use std::sync::Arc;

use worker_runtime::{Condition, Readiness, RunEnd, Runtime, RuntimeError, Store, StoreError};
use yoi_protocol::{CancelRequest, Effect, InputRequest, Outcome, StopRequest, WorkerStatus};

use self::telling::Telling;
use crate::common::{
    self, TestStore, builder, contents, create, id, keyed, named, obeys, plain, scripted_with,
    send, settled,
};

const FULL: StoreError = StoreError::Refused("the disk is full");
const LOST: StoreError = StoreError::Uncertain("fsync failed");

fn failed<T>(effect: Effect) -> Result<T, RuntimeError> {
    Err(RuntimeError::StoreFailed { effect })
}

#[tokio::test]
async fn a_refused_write_changes_nothing_and_can_be_sent_again() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    let before = create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    watch.until_caught_up().await;
    store.fail(FULL);
    let w = id("w");
    let sent = runtime
        .send_input(&w, InputRequest::new("x"), keyed("k"))
        .await;
    assert_eq!(sent, failed(Effect::None));
    assert_eq!(
        runtime.create_worker(named("new"), plain()).await,
        failed(Effect::None)
    );
    assert_eq!(runtime.get_worker(&w).await.unwrap(), before);
    assert_eq!(runtime.info().workers.total, 1);
    assert_eq!(runtime.readiness(), Readiness::Ready, "it may well recover");

    store.heal();
    let sent = runtime
        .send_input(&w, InputRequest::new("x"), keyed("k"))
        .await
        .unwrap();
    assert!(!sent.replayed);
    let next = watch.next_event().await;
    assert_eq!(
        (next.seq, next.cursor),
        (2, sent.value.cursor),
        "no number was used up"
    );
    create(&runtime, "new").await;
}

#[tokio::test]
async fn after_a_write_that_nobody_can_tell_of_no_more_are_taken() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    store.fail(LOST);
    let w = id("w");
    let sent = runtime
        .send_input(&w, InputRequest::new("x"), plain())
        .await;
    assert_eq!(sent, failed(Effect::Unknown));
    store.heal();
    let again = runtime
        .send_input(&w, InputRequest::new("x"), plain())
        .await;
    assert_eq!(again, failed(Effect::None));
    assert_eq!(runtime.readiness(), Readiness::StoreFailed);
    assert_eq!(runtime.info().diagnostics[0].code, "store_failed");
    assert_eq!(
        runtime.get_worker(&w).await.unwrap().status,
        WorkerStatus::Idle,
        "reads go on"
    );
    assert!(contents(&runtime, "w").await.is_empty());
}

fn codes(runtime: &Runtime) -> Vec<String> {
    let diagnostics = runtime.info().diagnostics.into_iter();
    diagnostics.map(|said| said.code).collect()
}

#[tokio::test]
async fn a_store_that_says_that_it_has_failed_is_not_asked_to_commit() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    assert_eq!(runtime.readiness(), Readiness::Ready);
    // Somebody else's commit, of which this Runtime knows nothing.
    let other = builder().store(store.clone()).start().await.unwrap();
    store.fail_once(LOST);
    assert!(other.create_worker(named("x"), plain()).await.is_err());

    let told = store.told();
    let w = id("w");
    let refused = failed(Effect::None);
    assert_eq!(runtime.create_worker(named("y"), keyed("c")).await, refused);
    let input = InputRequest::new("x");
    let sent = runtime.send_input(&w, input, plain()).await;
    assert_eq!(sent, failed(Effect::None));
    let cancelled = runtime.cancel(&w, CancelRequest::default(), plain()).await;
    assert_eq!(cancelled, failed(Effect::None));
    let stopped = runtime.stop_worker(&w, StopRequest::default(), plain());
    assert_eq!(stopped.await, failed(Effect::None));
    assert_eq!(store.told(), told, "nothing was committed in vain");
    assert_eq!(runtime.readiness(), Readiness::StoreFailed);
    assert_eq!(codes(&runtime), ["store_failed"]);
    assert!(contents(&runtime, "w").await.is_empty(), "reads go on");
}

#[tokio::test]
async fn a_store_that_is_damaged_is_told_of_and_goes_on() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    assert_eq!(codes(&runtime), Vec::<String>::new());
    store.damage();
    assert_eq!(runtime.readiness(), Readiness::StoreDamaged);
    assert_eq!(codes(&runtime), ["store_damaged"]);
    create(&runtime, "new").await;
    send(&runtime, "w", "go").await;
    assert_eq!(contents(&runtime, "w").await, ["go"]);
    store.heal();
    assert_eq!(runtime.readiness(), Readiness::Ready);
    assert_eq!(codes(&runtime), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_store_says_of_its_condition_is_not_said_again() {
    for (condition, code) in [
        (Condition::Damaged, "store_damaged"),
        (Condition::Failed, "store_failed"),
    ] {
        for (says, told) in [
            (vec![code], vec![code]),
            (vec!["disk_slow"], vec!["disk_slow", code]),
        ] {
            let store = Arc::new(Telling::new(condition, &says)) as Arc<dyn Store>;
            let runtime = builder().store(store).start().await.unwrap();
            assert_eq!(codes(&runtime), told);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_run_is_written_again_until_it_is_taken() {
    let store = TestStore::new();
    let (runtime, mut script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    store.fail(FULL);
    let w = id("w");
    let ends = obeys(run);
    let cancelled = runtime
        .cancel(&w, CancelRequest::default(), keyed("k"))
        .await;
    ends.await.unwrap();
    assert_eq!(
        cancelled,
        failed(Effect::Unknown),
        "the executor is ended, whatever is written"
    );
    assert_eq!(
        runtime.get_worker(&w).await.unwrap().status,
        WorkerStatus::Running
    );
    store.heal();
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_words_cannot_be_kept_fails() {
    let store = TestStore::new();
    let (runtime, mut script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("kept in the end").await;
    store.fail_once(FULL);
    run.output().end_entry().await.unwrap();
    run.cancelled().await;
    run.end(RunEnd::Cancelled);
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().error.unwrap().code, "store_failed");
    assert_eq!(contents(&runtime, "w").await, ["go", "kept in the end"]);
}
