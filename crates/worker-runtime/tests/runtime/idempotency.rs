//! Idempotency keys: a command that is sent twice is applied once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use worker_runtime::{Applied, RunEnd, Runtime, RuntimeError, StoreError};
use yoi_protocol::{
    CancelRequest, CreateWorker, Effect, InputAccepted, InputKind, InputRequest, Limits, Outcome,
    StopRequest,
};

use crate::common::{
    ManualClock, Reads, Script, TestStore, builder, contents, create, id, keyed, named, obeys,
    plain, scripted, scripted_with, send, settled,
};

#[tokio::test]
async fn the_same_input_again_gives_the_first_answer_and_no_second_run() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let worker = id("w");
    let input = || runtime.send_input(&worker, InputRequest::new("go"), keyed("k"));
    let first = input().await.unwrap();
    assert!(!first.replayed);
    script.next_run().await.end(RunEnd::Completed);
    settled(&runtime, "w").await;
    let again = input().await.unwrap();
    let expected = Applied {
        value: first.value,
        replayed: true,
    };
    assert_eq!(again, expected);
    assert_eq!(contents(&runtime, "w").await, ["go"]);
}

#[tokio::test]
async fn equal_after_parsing_is_the_same_body() {
    let (runtime, _script) = scripted().await;
    let body = |text: &str| serde_json::from_str::<CreateWorker>(text).unwrap();
    let one = body(r#"{"worker_id":"w","intent":{"kind":"task","b":1,"a":{"y":2,"x":3}},"new":1}"#);
    let two =
        body(r#"{"intent":{"a":{"x":3,"y":2},"b":1,"kind":"task"},"worker_id":"w","labels":null}"#);
    let first = runtime.create_worker(one, keyed("k")).await.unwrap();
    let again = runtime.create_worker(two, keyed("k")).await.unwrap();
    assert_eq!(again.value, first.value);
    assert!(again.replayed);

    let input = |kind| InputRequest {
        content: "go".to_owned(),
        kind,
    };
    let w = id("w");
    let absent = runtime
        .send_input(&w, input(None), keyed("i"))
        .await
        .unwrap();
    let user = runtime
        .send_input(&w, input(Some(InputKind::User)), keyed("i"))
        .await
        .unwrap();
    assert_eq!(absent.value, user.value);
}

#[tokio::test]
async fn another_body_is_a_conflict() {
    let (runtime, _script) = scripted().await;
    runtime.create_worker(named("w"), keyed("k")).await.unwrap();
    let other = CreateWorker {
        labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        ..named("w")
    };
    let conflict = runtime.create_worker(other, keyed("k")).await;
    assert_eq!(conflict, Err(RuntimeError::IdempotencyConflict));
}

#[tokio::test]
async fn a_key_is_scoped_to_operation_and_worker() {
    let (runtime, mut script) = scripted().await;
    for worker in ["a", "b"] {
        create(&runtime, worker).await;
        let request = InputRequest::new("go");
        let sent = runtime
            .send_input(&id(worker), request, keyed("k"))
            .await
            .unwrap();
        assert!(!sent.replayed);
        script.next_run().await.end(RunEnd::Completed);
        settled(&runtime, worker).await;
        let request = CancelRequest::default();
        let cancelled = runtime
            .cancel(&id(worker), request, keyed("k"))
            .await
            .unwrap();
        assert!(!cancelled.replayed);
    }
}

#[tokio::test]
async fn a_refused_command_leaves_its_key_free() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "one").await;
    let worker = id("w");
    let busy = runtime
        .send_input(&worker, InputRequest::new("two"), keyed("k"))
        .await;
    assert!(matches!(busy, Err(RuntimeError::WorkerBusy { .. })));
    script.next_run().await.end(RunEnd::Completed);
    settled(&runtime, "w").await;
    // Free even for another body.
    let sent = runtime
        .send_input(&worker, InputRequest::new("three"), keyed("k"))
        .await;
    assert!(!sent.unwrap().replayed);
}

#[tokio::test]
async fn a_cancel_sent_again_does_not_end_the_next_run() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let worker = id("w");
    let cancel = || runtime.cancel(&worker, CancelRequest::default(), keyed("k"));
    send(&runtime, "w", "one").await;
    let run = script.next_run().await;
    let (cancelled, ()) = tokio::join!(cancel(), async {
        run.cancelled().await;
        run.end(RunEnd::Cancelled);
    });
    let first = cancelled.unwrap().value;
    assert!(first.cancelled_run_id.is_some());

    send(&runtime, "w", "two").await;
    let run = script.next_run().await;
    let again = cancel().await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first);
    assert!(!run.is_cancelled());
    run.end(RunEnd::Completed);
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_cancel_of_nothing_is_remembered_too() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let worker = id("w");
    let cancel = || runtime.cancel(&worker, CancelRequest::default(), keyed("k"));
    assert_eq!(cancel().await.unwrap().value.cancelled_run_id, None);
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    assert!(cancel().await.unwrap().replayed);
    assert!(!run.is_cancelled());
}

#[tokio::test]
async fn a_stop_is_remembered_with_or_without_a_run() {
    let (runtime, mut script) = scripted().await;
    for (worker, runs) in [("idle", false), ("running", true)] {
        create(&runtime, worker).await;
        if runs {
            send(&runtime, worker, "go").await;
            let run = script.next_run().await;
            obeys(run);
        }
        let worker = id(worker);
        let stop = || runtime.stop_worker(&worker, StopRequest::default(), keyed("k"));
        let first = stop().await.unwrap();
        assert!(!first.replayed);
        let again = stop().await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.value, first.value);
    }
}

/// A Runtime with the Worker `w`, and a store that holds the next write.
async fn holding() -> (Arc<TestStore>, Runtime, Script) {
    let store = TestStore::new();
    let (runtime, script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    store.hold();
    (store, runtime, script)
}

type Sent = Result<Applied<InputAccepted>, RuntimeError>;

/// The same input, twice at once, while the write of one of them is held.
async fn twice_at_once(store: &TestStore, runtime: &Runtime) -> (Sent, Sent) {
    let worker = id("w");
    let input = || runtime.send_input(&worker, InputRequest::new("go"), keyed("k"));
    let release = async {
        store.until_held().await;
        store.release();
    };
    let (one, two, ()) = tokio::join!(input(), input(), release);
    (one, two)
}

#[tokio::test]
async fn while_the_first_is_in_flight_the_second_waits_and_gets_its_answer() {
    let (store, runtime, _script) = holding().await;
    let (one, two) = twice_at_once(&store, &runtime).await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.value, two.value);
    assert_ne!(
        one.replayed, two.replayed,
        "one was applied, the other replayed"
    );
}

#[tokio::test(start_paused = true)]
async fn the_second_waits_no_longer_than_its_deadline() {
    let (store, runtime, _script) = holding().await;
    let worker = id("w");
    let first = runtime.send_input(&worker, InputRequest::new("go"), keyed("k"));
    let second = async {
        store.until_held().await;
        let mut context = keyed("k");
        context.deadline = Some(tokio::time::Instant::now() + Duration::from_millis(50));
        let second = runtime
            .send_input(&worker, InputRequest::new("go"), context)
            .await;
        store.release();
        second
    };
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    let effect = Effect::None;
    assert_eq!(
        second,
        Err(RuntimeError::TimedOut { effect }),
        "this one did nothing"
    );
}

#[tokio::test]
async fn when_the_first_fails_the_second_goes_ahead() {
    let (store, runtime, _script) = holding().await;
    store.fail_once(StoreError::Refused("full"));
    let (one, two) = twice_at_once(&store, &runtime).await;
    let effect = Effect::None;
    let failed = Err(RuntimeError::StoreFailed { effect });
    let (failure, success) = if one.is_err() { (one, two) } else { (two, one) };
    assert_eq!(failure, failed);
    assert!(!success.unwrap().replayed);
}

#[tokio::test]
async fn an_answer_is_given_again_for_24_hours_and_no_longer() {
    let clock = ManualClock::new();
    let runtime = builder().clock(clock.clone()).start().await.unwrap();
    let first = runtime.create_worker(named("w"), keyed("k")).await.unwrap();
    clock.advance(Duration::from_millis(24 * 60 * 60 * 1000 - 1));
    let again = runtime.create_worker(named("w"), keyed("k")).await.unwrap();
    assert_eq!((again.value, again.replayed), (first.value, true));
    clock.advance(Duration::from_millis(1));
    let after = runtime.create_worker(named("w"), keyed("k")).await;
    assert_eq!(
        after,
        Err(RuntimeError::WorkerAlreadyExists),
        "a new command by now"
    );
}

#[tokio::test]
async fn whether_a_key_was_used_must_be_known_before_anything_is_done() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    let first = runtime.create_worker(named("a"), keyed("a")).await.unwrap();
    // An answer that is damaged is one: its command was done.
    for (fault, effect) in [
        (
            StoreError::Damaged("a flipped bit".to_owned()),
            Effect::Unknown,
        ),
        (StoreError::Refused("it does not read"), Effect::None),
    ] {
        store.read(Reads::Fail(fault));
        for name in ["a", "b"] {
            let created = runtime.create_worker(named(name), keyed(name)).await;
            assert_eq!(created, Err(RuntimeError::StoreFailed { effect }));
        }
    }
    create(&runtime, "c").await;
    assert_eq!(store.records().len(), 2, "one needs no key, and asks none");
    store.read(Reads::Well);
    let again = runtime.create_worker(named("a"), keyed("a")).await.unwrap();
    assert_eq!((again.value, again.replayed), (first.value, true));
    let next = runtime.create_worker(named("b"), keyed("b")).await.unwrap();
    assert!(!next.replayed, "its key is free");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_tell_of_a_key_does_not_keep_it() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    store.read(Reads::Hang);
    let effect = Effect::None;
    let created = runtime.create_worker(named("a"), keyed("a")).await;
    assert_eq!(created, Err(RuntimeError::TimedOut { effect }));
    store.read(Reads::Well);
    let next = runtime.create_worker(named("a"), keyed("a")).await.unwrap();
    assert!(!next.replayed);
}

#[tokio::test]
async fn the_last_place_for_a_key_is_for_one_of_many() {
    let store = TestStore::new();
    let limits = Limits {
        max_idempotency_keys: 2,
        ..Limits::default()
    };
    let builder = builder().store(store.clone()).limits(limits);
    let runtime = builder.start().await.unwrap();
    runtime.create_worker(named("a"), keyed("a")).await.unwrap();
    store.hold();
    let create = |name| runtime.create_worker(named(name), keyed(name));
    let release = async {
        store.until_held().await;
        // Meanwhile the last place is taken, and who needs none is answered.
        let limit = "max_idempotency_keys";
        let refused = create("d").await;
        assert_eq!(refused, Err(RuntimeError::LimitReached { limit }));
        assert!(create("a").await.unwrap().replayed);
        store.release();
    };
    let (one, other, ()) = tokio::join!(create("b"), create("c"), release);
    assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
    assert_eq!(store.records().len(), 2);
}

#[tokio::test]
async fn a_command_that_fails_gives_its_place_back() {
    let store = TestStore::new();
    let limits = Limits {
        max_idempotency_keys: 1,
        ..Limits::default()
    };
    let builder = builder().store(store.clone()).limits(limits);
    let runtime = builder.start().await.unwrap();
    store.fail_once(StoreError::Refused("full"));
    let create = |name| runtime.create_worker(named(name), keyed(name));
    assert!(create("a").await.is_err());
    create("b").await.unwrap();
    assert!(create("a").await.is_err());
    // To be refused, answered, or in conflict takes no place either.
    for _ in 0..3 {
        assert!(create("b").await.unwrap().replayed);
        let other = runtime.create_worker(named("c"), keyed("b")).await;
        assert_eq!(other, Err(RuntimeError::IdempotencyConflict));
    }
}

#[tokio::test]
async fn an_answer_survives_a_restart_of_the_store() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    let created = runtime.create_worker(named("w"), keyed("c")).await.unwrap();
    let input = InputRequest::new("go");
    let sent = runtime
        .send_input(&id("w"), input.clone(), keyed("i"))
        .await
        .unwrap();
    settled(&runtime, "w").await;

    let runtime = builder().store(store.reopened()).start().await.unwrap();
    let again = runtime.create_worker(named("w"), keyed("c")).await.unwrap();
    assert_eq!((again.value, again.replayed), (created.value, true));
    let again = runtime
        .send_input(&id("w"), input, keyed("i"))
        .await
        .unwrap();
    assert_eq!((again.value, again.replayed), (sent.value, true));
    let other = runtime
        .send_input(&id("w"), InputRequest::new("else"), keyed("i"))
        .await;
    assert_eq!(other, Err(RuntimeError::IdempotencyConflict));
    assert_eq!(contents(&runtime, "w").await, ["go", "go"]);
}

#[tokio::test]
async fn no_store_ever_sees_a_key() {
    let store = TestStore::new();
    let runtime = builder().store(store.clone()).start().await.unwrap();
    runtime
        .create_worker(named("w"), keyed("canary-key"))
        .await
        .unwrap();
    runtime
        .send_input(&id("w"), InputRequest::new("x"), keyed("canary-key"))
        .await
        .unwrap();
    settled(&runtime, "w").await;
    let records = format!("{:?}", store.records());
    assert!(!records.contains("canary-key"));
    let commands = store
        .records()
        .iter()
        .filter(|record| !record.keys.is_empty())
        .count();
    assert_eq!(commands, 2, "each in the record of its command");
    let _ = runtime
        .cancel(&id("w"), CancelRequest::default(), plain())
        .await;
    assert_eq!(
        store.records().len(),
        3,
        "a cancel of nothing without a key writes nothing"
    );
}
