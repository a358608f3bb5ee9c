//! Starting on what an earlier process left.

use worker_runtime::store::Record;
use worker_runtime::{RunEnd, RuntimeError, StartError, StoreError};
use yoi_protocol::{InputRequest, Limits, Outcome, WorkerStatus};

use crate::common::{
    self, TestStore, builder, contents, create, id, plain, scripted_with, send, settled, stop,
};

#[tokio::test]
async fn workers_are_as_they_were() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    for name in ["idle", "stopped"] {
        create(&runtime, name).await;
        send(&runtime, name, "hello").await;
        settled(&runtime, name).await;
    }
    stop(&runtime, "stopped").await;
    let mut before = Vec::new();
    for name in ["idle", "stopped"] {
        before.push(runtime.get_worker(&id(name)).await.unwrap());
    }
    let cursor = {
        let mut watch = common::watch(&runtime, "idle", None).await;
        watch.next_event().await.cursor
    };

    let reopened = store.reopened();
    let again = builder().store(reopened.clone()).start().await.unwrap();
    for worker in before {
        assert_eq!(again.get_worker(&worker.worker_id).await.unwrap(), worker);
    }
    assert_eq!(contents(&again, "idle").await, ["hello", "hello"]);
    let counts = again.info().workers;
    assert_eq!((counts.total, counts.idle, counts.stopped), (2, 1, 1));
    assert_eq!(
        reopened.records(),
        store.records(),
        "starting wrote nothing"
    );
    // A cursor of the earlier process goes on where it was.
    let mut watch = common::watch(&again, "idle", Some(cursor.as_str())).await;
    watch.until_caught_up().await;
    assert!(watch.events().is_empty());
    send(&again, "idle", "more").await;
    assert_eq!(watch.next_event().await.seq, 8);
}

#[tokio::test]
async fn an_active_run_is_interrupted() {
    let store = TestStore::new();
    let (runtime, mut script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    let accepted = send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("said, but never kept").await;

    // What a killed process leaves.
    let (again, mut script) = scripted_with(|builder| builder.store(store.reopened())).await;
    let worker = again.get_worker(&id("w")).await.unwrap();
    assert_eq!(
        (worker.status, worker.active_run),
        (WorkerStatus::Idle, None)
    );
    let last = worker.last_run.unwrap();
    assert_eq!(last.run_id, accepted.run_id);
    assert_eq!(last.outcome, Outcome::Failed);
    assert_eq!(last.error.unwrap().code, "interrupted");

    let mut watch = common::watch(&again, "w", Some(accepted.cursor.as_str())).await;
    watch.until_caught_up().await;
    assert_eq!(
        watch.types(),
        [
            "run_started",
            "status_changed",
            "run_finished",
            "status_changed"
        ]
    );
    send(&again, "w", "next").await;
    script.next_run().await.end(RunEnd::Completed);
    settled(&again, "w").await;
    assert_eq!(contents(&again, "w").await, ["go", "next"]);
}

#[tokio::test]
async fn a_stopped_worker_whose_time_is_over_is_not_there() {
    let clock = crate::common::ManualClock::new();
    let store = TestStore::new();
    let runtime = builder()
        .store(store.clone())
        .clock(clock.clone())
        .start()
        .await
        .unwrap();
    create(&runtime, "w").await;
    stop(&runtime, "w").await;
    clock.advance(std::time::Duration::from_millis(
        Limits::default().retain_stopped_ms,
    ));
    let again = builder()
        .store(store.reopened())
        .clock(clock)
        .start()
        .await
        .unwrap();
    assert_eq!(
        again.get_worker(&id("w")).await,
        Err(RuntimeError::WorkerNotFound)
    );
    assert_eq!(again.info().workers.total, 0);
}

#[tokio::test]
async fn a_worker_counts_even_over_a_limit_that_was_lowered() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    create(&runtime, "a").await;
    create(&runtime, "b").await;
    let limits = Limits {
        max_workers: 1,
        ..Limits::default()
    };
    let again = builder()
        .store(store.reopened())
        .limits(limits)
        .start()
        .await
        .unwrap();
    assert_eq!(again.info().workers.total, 2);
    stop(&again, "a").await;
    let refused = again
        .create_worker(crate::common::named("c"), plain())
        .await;
    assert!(matches!(refused, Err(RuntimeError::LimitReached { .. })));
    stop(&again, "b").await;
    create(&again, "c").await;
}

#[tokio::test]
async fn a_log_that_does_not_add_up_is_not_started_from() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    settled(&runtime, "w").await;
    let records: Vec<Record> = store.records();
    assert_eq!(records.len(), 3, "a create, an input, the end of its run");
    let mut holed = records.clone();
    holed.remove(1);
    let refused = builder()
        .store(TestStore::holding(holed))
        .start()
        .await
        .err()
        .unwrap();
    let damaged = "the log of worker w: events are numbered without holes";
    let damaged = StoreError::Damaged(damaged.to_owned());
    assert_eq!(refused, StartError::Store(damaged));
    let mut headless = records;
    headless.remove(0);
    let refused = builder()
        .store(TestStore::holding(headless))
        .start()
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("begins with a snapshot"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_worker_that_lives_twice_is_not_started_from() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    create(&runtime, "w").await;
    let mut records: Vec<Record> = store.records();
    let mut another = records.clone();
    another[0].log.life = uuid::Uuid::from_u128(1);
    records.extend(another);
    let refused = builder()
        .store(TestStore::holding(records))
        .start()
        .await
        .err()
        .unwrap();
    let damaged = StartError::Damaged {
        worker_id: "w".to_owned(),
        rule: "a worker has one life at a time",
    };
    assert_eq!(refused, damaged);
}

#[tokio::test]
async fn a_worker_whose_profile_is_gone_can_be_read_and_stopped() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    let again = builder().store(store.reopened()).start().await.unwrap();
    let refused = again
        .send_input(&id("w"), InputRequest::new("x"), plain())
        .await
        .unwrap_err();
    let operation = refused.failure().details.operation;
    assert_eq!(operation.as_deref(), Some("workers.input"));
    assert_eq!(stop(&again, "w").await.worker.status, WorkerStatus::Stopped);
}
