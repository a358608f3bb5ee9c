//! Cancel and stop: they answer once the end is committed, and the first outcome wins.

use yoi_protocol::{CancelRequest, Outcome, RunId, StopRequest, StreamEnd, WorkerStatus};

use worker_runtime::{RunEnd, RuntimeError};

use crate::common::{
    cancel, contents, create, id, obeys, plain, scripted, send, settled, stop, talking,
};

#[tokio::test]
async fn cancel_ends_the_run_and_leaves_the_worker_idle() {
    let (runtime, mut script) = scripted().await;
    let (mut watch, run) = talking(&runtime, &mut script).await;
    let run_id = run.run_id().clone();
    let ends = obeys(run);
    let cancelled = cancel(&runtime, "w").await;
    ends.await.unwrap();
    assert_eq!(cancelled.cancelled_run_id, Some(run_id));
    assert_eq!(cancelled.worker.status, WorkerStatus::Idle);
    assert_eq!(cancelled.worker.active_run, None);
    assert_eq!(
        cancelled.worker.last_run.as_ref().unwrap().outcome,
        Outcome::Cancelled
    );
    // What it answers is what is true by then.
    assert_eq!(
        runtime.get_worker(&id("w")).await.unwrap(),
        cancelled.worker
    );
    assert_eq!(contents(&runtime, "w").await, ["go", "so far"]);
    watch.until_event("run_finished").await;
    watch.until_event("status_changed").await;
    assert_eq!(
        watch.types()[4..],
        ["entry_appended", "run_finished", "status_changed"]
    );
}

#[tokio::test]
async fn cancel_without_a_run_answers_without_one() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    assert_eq!(cancel(&runtime, "w").await.cancelled_run_id, None);
    stop(&runtime, "w").await;
    let cancelled = cancel(&runtime, "w").await;
    assert_eq!(cancelled.cancelled_run_id, None);
    assert_eq!(cancelled.worker.status, WorkerStatus::Stopped);
}

#[tokio::test]
async fn cancel_of_another_run_leaves_this_one_alone() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let request = CancelRequest {
        run_id: Some(RunId::parse("run-other").unwrap()),
        reason: None,
    };
    let answer = runtime.cancel(&id("w"), request, plain()).await.unwrap();
    assert_eq!(answer.value.cancelled_run_id, None);
    assert_eq!(answer.value.worker.status, WorkerStatus::Running);
    assert!(!run.is_cancelled());
    run.end(RunEnd::Completed);
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_run_that_completes_first_is_not_cancelled() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    // It is told to end, and completes nevertheless: that is the outcome that is committed.
    let ends = tokio::spawn(async move {
        run.cancelled().await;
        run.say("done").await;
        run.end(RunEnd::Completed);
    });
    let cancelled = cancel(&runtime, "w").await;
    ends.await.unwrap();
    assert_eq!(cancelled.cancelled_run_id, None);
    assert_eq!(
        cancelled.worker.last_run.unwrap().outcome,
        Outcome::Completed
    );
    assert_eq!(contents(&runtime, "w").await, ["go", "done"]);
}

#[tokio::test(start_paused = true)]
async fn an_executor_that_does_not_listen_is_dropped_after_its_grace() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("kept").await;
    let cancelled = cancel(&runtime, "w").await;
    assert!(cancelled.cancelled_run_id.is_some());
    assert_eq!(contents(&runtime, "w").await, ["go", "kept"]);
    assert!(
        run.output().text("too late").await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn an_executor_that_never_stops_talking_can_be_cancelled() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let talks = tokio::spawn(async move { while run.output().thinking("").await.is_ok() {} });
    assert!(cancel(&runtime, "w").await.cancelled_run_id.is_some());
    talks.await.unwrap();
}

#[tokio::test]
async fn stop_is_final_and_ends_the_run_first() {
    let (runtime, mut script) = scripted().await;
    let (mut watch, run) = talking(&runtime, &mut script).await;
    let ends = obeys(run);
    let request = StopRequest {
        reason: Some("enough".to_owned()),
    };
    let stopped = runtime
        .stop_worker(&id("w"), request, plain())
        .await
        .unwrap()
        .value;
    ends.await.unwrap();
    assert_eq!(stopped.worker.status, WorkerStatus::Stopped);
    assert_eq!(
        stopped.worker.last_run.as_ref().unwrap().outcome,
        Outcome::Cancelled
    );
    assert_eq!(watch.end().await, StreamEnd::Complete);
    assert_eq!(
        watch.types()[4..],
        [
            "entry_appended",
            "run_finished",
            "status_changed",
            "worker_stopped"
        ]
    );
    let again = stop(&runtime, "w").await;
    assert_eq!(again, stopped, "stopping again changes nothing");
    let input = runtime
        .send_input(&id("w"), yoi_protocol::InputRequest::new("x"), plain())
        .await;
    assert_eq!(input, Err(RuntimeError::WorkerStopped));
}

#[tokio::test]
async fn cancels_and_stops_of_one_run_are_all_answered() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let mut all = tokio::task::JoinSet::new();
    for number in 0..20 {
        let runtime = runtime.clone();
        all.spawn(async move {
            if number % 2 == 0 {
                cancel(&runtime, "w").await.worker
            } else {
                stop(&runtime, "w").await.worker
            }
        });
    }
    run.cancelled().await;
    run.end(RunEnd::Cancelled);
    let workers = all.join_all().await;
    let last = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(last.status, WorkerStatus::Stopped);
    for worker in workers {
        assert_eq!(worker.last_run, last.last_run, "all saw the one end");
    }
}

#[tokio::test]
async fn a_reason_that_is_too_long_is_named() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    let reason = Some("x".repeat(1025));
    let stop = StopRequest { reason };
    let refused = runtime
        .stop_worker(&id("w"), stop, plain())
        .await
        .unwrap_err();
    assert_eq!(refused.failure().details.errors[0].pointer, "/reason");
    assert_eq!(
        runtime.get_worker(&id("w")).await.unwrap().status,
        WorkerStatus::Idle
    );
}
