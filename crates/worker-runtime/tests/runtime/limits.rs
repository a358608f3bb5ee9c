//! Every limit, met and named.

use std::time::Duration;

use worker_runtime::{RunEnd, RuntimeError, StartError};
use yoi_protocol::{
    Code, Frame, InputAccepted, InputRequest, Limits, ListQuery, Role, StreamEnd, TranscriptQuery,
    WorkerStatus,
};

use crate::common::{
    self, ManualClock, builder, cancel, contents, create, id, keyed, named, obeys, plain,
    scripted_with, send, settled, stop, transcript,
};

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn reached<T>(limit: &'static str) -> Result<T, RuntimeError> {
    Err(RuntimeError::LimitReached { limit })
}

#[tokio::test]
async fn max_input_bytes() {
    let limits = limits(|limits| limits.max_input_bytes = 8);
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    let refused = runtime
        .send_input(&id("w"), InputRequest::new("€€€"), plain())
        .await;
    let too_large = RuntimeError::PayloadTooLarge { limit_bytes: 8 };
    assert_eq!(refused, Err(too_large.clone()), "bytes, not characters");
    assert_eq!(too_large.failure().details.limit_bytes, Some(8));
    send(&runtime, "w", "€€..").await;
}

#[tokio::test]
async fn max_workers_counts_those_that_are_not_stopped() {
    let limits = limits(|limits| limits.max_workers = 2);
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "a").await;
    create(&runtime, "b").await;
    let refused = runtime.create_worker(named("c"), plain()).await;
    assert_eq!(refused, reached("max_workers"));
    let failure = RuntimeError::LimitReached {
        limit: "max_workers",
    }
    .failure();
    assert_eq!(
        (failure.code, failure.details.limit.as_deref()),
        (Code::LimitReached, Some("max_workers"))
    );
    stop(&runtime, "a").await;
    create(&runtime, "c").await;
    // A create that is refused for another reason takes no place.
    stop(&runtime, "b").await;
    assert!(runtime.create_worker(named("c"), plain()).await.is_err());
    create(&runtime, "d").await;
}

#[tokio::test]
async fn max_runs() {
    let limits = limits(|limits| limits.max_runs = 1);
    let (runtime, mut script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "a").await;
    create(&runtime, "b").await;
    send(&runtime, "a", "go").await;
    let worker = id("b");
    let refused = runtime
        .send_input(&worker, InputRequest::new("go"), plain())
        .await;
    assert_eq!(refused, reached("max_runs"));
    assert!(contents(&runtime, "b").await.is_empty());
    script.next_run().await.end(RunEnd::Completed);
    settled(&runtime, "a").await;
    send(&runtime, "b", "go").await;
}

#[tokio::test]
async fn max_streams() {
    let limits = limits(|limits| limits.max_streams = 1);
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    let watch = common::watch(&runtime, "w", None).await;
    let refused = runtime.observe(&id("w"), None).await;
    assert_eq!(
        refused.err(),
        Some(RuntimeError::LimitReached {
            limit: "max_streams"
        })
    );
    drop(watch);
    common::watch(&runtime, "w", None)
        .await
        .until_caught_up()
        .await;
}

#[tokio::test]
async fn max_idempotency_keys() {
    let clock = ManualClock::new();
    let limits = limits(|limits| limits.max_idempotency_keys = 2);
    let runtime = builder()
        .limits(limits)
        .clock(clock.clone())
        .start()
        .await
        .unwrap();
    runtime.create_worker(named("a"), keyed("1")).await.unwrap();
    runtime.create_worker(named("b"), keyed("2")).await.unwrap();
    let refused = runtime.create_worker(named("c"), keyed("3")).await;
    assert_eq!(refused, reached("max_idempotency_keys"));
    // Those that are held keep their answers, and who needs no key needs no place.
    assert!(
        runtime
            .create_worker(named("a"), keyed("1"))
            .await
            .unwrap()
            .replayed
    );
    create(&runtime, "c").await;
    clock.advance(Duration::from_secs(24 * 60 * 60));
    runtime.create_worker(named("d"), keyed("3")).await.unwrap();
}

#[tokio::test]
async fn max_worker_events_expires_the_oldest() {
    let limits = limits(|limits| limits.max_worker_events = 8);
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    let first = send(&runtime, "w", "one").await;
    settled(&runtime, "w").await;
    for content in ["two", "three"] {
        send(&runtime, "w", content).await;
        settled(&runtime, "w").await;
    }
    let expired = runtime.observe(&id("w"), Some(first.cursor.as_str())).await;
    assert_eq!(expired.err(), Some(RuntimeError::CursorExpired));

    let query = TranscriptQuery::default();
    let transcript = runtime.transcript(&id("w"), &query).await.unwrap();
    assert!(
        transcript.first_sequence > 1,
        "the transcript goes with its events"
    );
    let sequences: Vec<u64> = transcript
        .entries
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    let expected: Vec<u64> = (transcript.first_sequence..=6).collect();
    assert_eq!(sequences, expected);

    let mut watch = common::watch(&runtime, "w", None).await;
    watch.until_caught_up().await;
    let snapshot = &watch.events()[0].event;
    let yoi_protocol::Event::Snapshot {
        first_sequence,
        transcript: told,
        ..
    } = snapshot
    else {
        panic!("the first frame is a snapshot");
    };
    assert_eq!(*first_sequence, transcript.first_sequence);
    assert_eq!(*told, transcript.entries);
}

#[tokio::test]
async fn max_worker_bytes_expires_the_oldest() {
    let limits = limits(|limits| limits.max_worker_bytes = 4000);
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    let first = send(&runtime, "w", "one").await;
    settled(&runtime, "w").await;
    let observe = async |accepted: &InputAccepted| {
        let cursor = accepted.cursor.as_str();
        let observed = runtime.observe(&id("w"), Some(cursor)).await;
        observed.map(|_| ())
    };
    assert_eq!(observe(&first).await, Ok(()), "a few events fit");
    let last = send(&runtime, "w", &"x".repeat(1600)).await;
    settled(&runtime, "w").await;
    assert_eq!(observe(&first).await, Err(RuntimeError::CursorExpired));
    assert_eq!(observe(&last).await, Ok(()), "no more than need be");
    let transcript = transcript(&runtime, "w").await;
    let sequences = transcript.entries.iter().map(|entry| entry.sequence);
    assert_eq!(transcript.first_sequence, 3);
    assert_eq!(sequences.collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn the_last_event_is_kept_however_large() {
    let limits = limits(|limits| limits.max_worker_bytes = 1);
    let (runtime, mut script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.output().entry(Role::Assistant, "whole").await.unwrap();
    let mut watch = common::watch(&runtime, "w", None).await;
    watch.until_event("entry_appended").await;
    assert_eq!(contents(&runtime, "w").await, ["whole"]);
    run.end(RunEnd::Completed);
    watch.until_event("run_finished").await;
}

#[tokio::test]
async fn max_backlog_bytes_ends_a_slow_observer_alone() {
    let limits = limits(|limits| limits.max_backlog_bytes = 2000);
    let (runtime, mut script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "w").await;
    let mut slow = common::watch(&runtime, "w", None).await;
    let mut quick = common::watch(&runtime, "w", None).await;
    slow.until_caught_up().await;
    quick.until_caught_up().await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    for _ in 0..50 {
        run.say("0123456789").await;
        while !matches!(quick.next().await, Ok(Frame::Delta(_))) {}
    }
    run.end(RunEnd::Completed);
    quick.until_event("run_finished").await;
    assert_eq!(slow.end().await, StreamEnd::SlowConsumer);
    // With its last cursor it misses no event.
    let last = slow.events().last().unwrap().cursor.clone();
    let mut again = common::watch(&runtime, "w", Some(last.as_str())).await;
    again.until_event("run_finished").await;
    assert!(again.types().contains(&"entry_appended"));
}

#[tokio::test]
async fn max_page_bytes_ends_a_page_early_but_never_empty() {
    let limits = limits(|limits| limits.max_page_bytes = 1000);
    let runtime = builder().limits(limits).start().await.unwrap();
    for worker in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        create(&runtime, worker).await;
    }
    let mut query = ListQuery::default();
    let mut names = Vec::new();
    let mut pages = 0;
    loop {
        let page = runtime.list_workers(&query).await.unwrap();
        assert!(serde_json::to_string(&page).unwrap().len() <= 1000);
        names.extend(
            page.workers
                .iter()
                .map(|worker| worker.worker_id.to_string()),
        );
        pages += 1;
        query.page = page.next_page;
        if query.page.is_none() {
            break;
        }
    }
    assert_eq!(names.join(""), "abcdefgh");
    assert!(pages > 1);

    send(&runtime, "a", &"x".repeat(3000)).await;
    settled(&runtime, "a").await;
    let first = runtime
        .transcript(&id("a"), &TranscriptQuery::default())
        .await
        .unwrap();
    assert_eq!(
        (first.entries.len(), first.next_after),
        (1, Some(1)),
        "one, however large"
    );
    let query = TranscriptQuery {
        after: Some(1),
        limit: None,
    };
    let second = runtime.transcript(&id("a"), &query).await.unwrap();
    assert_eq!((second.entries.len(), second.next_after), (1, None));
}

#[tokio::test]
async fn retain_stopped_ms_forgets_and_a_new_life_begins() {
    let clock = ManualClock::new();
    let runtime = builder().clock(clock.clone()).start().await.unwrap();
    create(&runtime, "w").await;
    let first = send(&runtime, "w", "one").await;
    settled(&runtime, "w").await;
    stop(&runtime, "w").await;
    clock.advance(Duration::from_millis(604_800_000 - 1));
    assert_eq!(
        runtime.get_worker(&id("w")).await.unwrap().status,
        WorkerStatus::Stopped
    );
    let taken = runtime.create_worker(named("w"), plain()).await;
    assert_eq!(taken, Err(RuntimeError::WorkerAlreadyExists));
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        runtime.get_worker(&id("w")).await,
        Err(RuntimeError::WorkerNotFound)
    );
    assert_eq!(runtime.info().workers.total, 0);

    create(&runtime, "w").await;
    assert!(contents(&runtime, "w").await.is_empty());
    let unknown = runtime.observe(&id("w"), Some(first.cursor.as_str())).await;
    assert_eq!(unknown.err(), Some(RuntimeError::CursorUnknown));
}

#[tokio::test]
async fn a_limit_that_cannot_be_kept_is_refused_at_start() {
    let short = limits(|limits| limits.retain_stopped_ms = 86_399_999);
    let refused = builder().limits(short).start().await.err().unwrap();
    assert!(matches!(
        refused,
        StartError::Limit {
            name: "retain_stopped_ms",
            ..
        }
    ));
    let none = limits(|limits| limits.max_runs = 0);
    let refused = builder().limits(none).start().await.err().unwrap();
    assert!(matches!(
        refused,
        StartError::Limit {
            name: "max_runs",
            ..
        }
    ));
    assert_eq!(refused.to_string(), "limits.max_runs must be at least 1");
}

#[tokio::test]
async fn a_cancelled_run_gives_its_place_back() {
    let limits = limits(|limits| limits.max_runs = 1);
    let (runtime, mut script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "w").await;
    for _ in 0..3 {
        send(&runtime, "w", "go").await;
        let run = script.next_run().await;
        let ends = obeys(run);
        assert!(cancel(&runtime, "w").await.cancelled_run_id.is_some());
        ends.await.unwrap();
    }
}
