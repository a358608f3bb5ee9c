//! Deadlines: a command that has not begun changes nothing; one that has is carried to its end.

use std::time::Duration;

use tokio::time::Instant;
use worker_runtime::{CommandContext, RunEnd, RuntimeError};
use yoi_protocol::{CancelRequest, Effect, InputRequest, Limits, Outcome, WorkerStatus};

use crate::common::{
    self, TestStore, contents, create, id, named, plain, scripted, scripted_with, send, settled,
};

fn within(ms: u64) -> CommandContext {
    CommandContext {
        key: None,
        deadline: Some(Instant::now() + Duration::from_millis(ms)),
    }
}

fn timed_out<T>(effect: Effect) -> Result<T, RuntimeError> {
    Err(RuntimeError::TimedOut { effect })
}

#[tokio::test]
async fn a_deadline_that_has_passed_refuses_before_anything_is_done() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    let sent = runtime
        .send_input(&id("w"), InputRequest::new("x"), within(0))
        .await;
    assert_eq!(sent, timed_out(Effect::None));
    let created = runtime.create_worker(named("new"), within(0)).await;
    assert_eq!(created, timed_out(Effect::None));
    assert_eq!(runtime.info().workers.total, 1);
    assert!(contents(&runtime, "w").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_behind_another_command_is_not_having_begun() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    store.hold();
    let worker = id("w");
    let first = runtime.send_input(&worker, InputRequest::new("one"), plain());
    let second = async {
        store.until_held().await;
        let second = runtime
            .cancel(&worker, CancelRequest::default(), within(50))
            .await;
        store.release();
        second
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(second, timed_out(Effect::None));
    let run_id = first.unwrap().value.run_id;
    let worker = runtime.get_worker(&worker).await.unwrap();
    assert_eq!(
        worker.active_run.map(|run| run.run_id),
        Some(run_id),
        "never cancelled"
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_that_has_begun_is_carried_to_its_end() {
    let store = TestStore::new();
    let (runtime, mut script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    store.hold();
    let sent = runtime
        .send_input(&id("w"), InputRequest::new("one"), within(50))
        .await;
    assert_eq!(sent, timed_out(Effect::Unknown));
    assert!(
        contents(&runtime, "w").await.is_empty(),
        "not committed yet"
    );
    store.release();
    watch.until_event("run_started").await;
    script.next_run().await.end(RunEnd::Completed);
    settled(&runtime, "w").await;
    assert_eq!(contents(&runtime, "w").await, ["one"]);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_undo_a_command() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    store.hold();
    let worker = id("w");
    let caller = runtime.send_input(&worker, InputRequest::new("one"), plain());
    tokio::select! {
        _ = caller => panic!("the store holds it"),
        () = store.until_held() => {}
    }
    store.release();
    watch.until_event("run_started").await;
    assert_eq!(contents(&runtime, "w").await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn the_runtimes_own_timeout_bounds_a_command() {
    let limits = Limits {
        operation_timeout_ms: 20,
        ..Limits::default()
    };
    let (runtime, mut script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    // Its executor has a grace of 200 ms, and uses it.
    let cancelled = runtime
        .cancel(&id("w"), CancelRequest::default(), within(10_000))
        .await;
    assert_eq!(cancelled, timed_out(Effect::Unknown));
    assert!(run.is_cancelled());
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.status, WorkerStatus::Idle);
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Cancelled);
}
