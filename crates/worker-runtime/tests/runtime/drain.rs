//! The end of a Runtime, in order.

use std::time::Duration;

use worker_runtime::{Readiness, RunEnd, RuntimeError};
use yoi_protocol::{
    CancelRequest, CreateWorker, InputRequest, Outcome, RuntimeState, StopRequest, StreamEnd,
    WorkerStatus,
};

use crate::common::{
    self, TestStore, contents, create, id, obeys, plain, scripted, scripted_with, send, talking,
};

const TIME: Duration = Duration::from_secs(10);

#[tokio::test]
async fn active_runs_are_interrupted_and_then_streams_end() {
    let (runtime, mut script) = scripted().await;
    let (mut watch, run) = talking(&runtime, &mut script).await;
    obeys(run);
    assert_eq!(runtime.readiness(), Readiness::Ready);
    runtime.drain(TIME).await;
    assert_eq!(runtime.readiness(), Readiness::Draining);
    assert_eq!(runtime.info().status, RuntimeState::Draining);

    // Reads go on.
    let worker = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(worker.status, WorkerStatus::Idle);
    let last = worker.last_run.unwrap();
    assert_eq!(
        (last.outcome, last.error.unwrap().code.as_str()),
        (Outcome::Failed, "interrupted")
    );
    assert_eq!(contents(&runtime, "w").await, ["go", "so far"]);

    assert_eq!(watch.end().await, StreamEnd::Draining);
    assert_eq!(
        watch.types()[4..],
        ["entry_appended", "run_finished", "status_changed"]
    );
    let observed = runtime.observe(&id("w"), None).await;
    assert_eq!(observed.err(), Some(RuntimeError::Unavailable));
}

#[tokio::test]
async fn new_commands_are_refused() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    runtime.drain(TIME).await;
    let w = id("w");
    let refused = Some(RuntimeError::Unavailable);
    assert_eq!(
        runtime
            .create_worker(CreateWorker::default(), plain())
            .await
            .err(),
        refused
    );
    assert_eq!(
        runtime
            .send_input(&w, InputRequest::new("x"), plain())
            .await
            .err(),
        refused
    );
    assert_eq!(
        runtime
            .cancel(&w, CancelRequest::default(), plain())
            .await
            .err(),
        refused
    );
    assert_eq!(
        runtime
            .stop_worker(&w, StopRequest::default(), plain())
            .await
            .err(),
        refused
    );
}

#[tokio::test]
async fn commands_in_flight_finish_first() {
    let store = TestStore::new();
    let (runtime, mut script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    store.hold();
    let worker = id("w");
    let input = runtime.send_input(&worker, InputRequest::new("go"), plain());
    let drains = async {
        store.until_held().await;
        let (_, ()) = tokio::join!(runtime.drain(TIME), async {
            // Refused already, while the one before is still under way.
            let late = runtime
                .cancel(&worker, CancelRequest::default(), plain())
                .await;
            assert_eq!(late.err(), Some(RuntimeError::Unavailable));
            store.release();
            let run = script.next_run().await;
            run.cancelled().await;
            run.end(RunEnd::Cancelled);
        });
    };
    let (accepted, ()) = tokio::join!(input, drains);
    let run_id = accepted.unwrap().value.run_id;
    let last = runtime.get_worker(&worker).await.unwrap().last_run.unwrap();
    assert_eq!(last.run_id, run_id);
    assert_eq!(last.error.unwrap().code, "interrupted");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_end_is_cut_off_within_the_time() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("kept").await;
    let before = tokio::time::Instant::now();
    // Its own grace is longer than all the time there is.
    runtime.drain(Duration::from_millis(100)).await;
    assert!(before.elapsed() <= Duration::from_millis(101));
    let worker = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(worker.last_run.unwrap().error.unwrap().code, "interrupted");
    assert_eq!(contents(&runtime, "w").await, ["go", "kept"]);
    drop(run);
}

#[tokio::test]
async fn draining_twice_waits_for_the_same_end() {
    let (runtime, _script) = scripted().await;
    tokio::join!(runtime.drain(TIME), runtime.drain(TIME));
    runtime.drain(TIME).await;
    assert_eq!(runtime.readiness(), Readiness::Draining);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_for_a_drain_leaves_it_to_its_end() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let drains = runtime.clone();
    let first = tokio::spawn(async move { drains.drain(TIME).await });
    run.cancelled().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    run.end(RunEnd::Cancelled);

    assert_eq!(watch.end().await, StreamEnd::Draining);
    let before = tokio::time::Instant::now();
    runtime.drain(TIME).await;
    assert!(before.elapsed() < TIME, "the drain is over, and said so");
}
