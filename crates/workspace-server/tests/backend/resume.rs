//! A Runtime that is lost while it is watched, and comes back: who watches stays, is told, and
//! misses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use yoi_protocol::{Code, Failure, StreamEnd};
use yoi_testkit::{Fault, FaultProxy, eventually};
use yoi_workspace_server::{Backend, BackendBuilder, Backoff, ObservationSettings, Registration};

use crate::answers::{Book, assert_kept};
use crate::double::{Counts, Double, Told, caught_up, event, snapshot};
use crate::kept::{keep_rest, sealing};
use crate::support::{Served, dense, embedded, registered, remote};
use crate::watch::joined;

const WORKER: &str = "/api/runtimes/inside/workers/w-1";

/// Comes back at once.
const SOON: Backoff = Backoff {
    base: Duration::from_millis(5),
    max: Duration::from_millis(50),
};

fn soon() -> ObservationSettings {
    ObservationSettings {
        backoff: SOON,
        ..ObservationSettings::default()
    }
}

/// A Runtime whose observers are told one of these after the other, each to its end, and nothing
/// once there is none left.
async fn telling(
    builder: BackendBuilder,
    streams: impl IntoIterator<Item = Vec<Result<Value, StreamEnd>>>,
) -> (Served, Arc<Counts>) {
    let (runtime, _script) = embedded("inside").await;
    let streams: Mutex<VecDeque<_>> = Mutex::new(streams.into_iter().collect());
    let double = Double::of(runtime).observed(move || {
        let told = streams.lock().unwrap().pop_front();
        Told::new(told.unwrap_or_default())
    });
    let counts = double.counts();
    let builder = builder.runtime(double.registered("inside"));
    (Served::start(builder.observation(soon())).await, counts)
}

fn used(seq: u64) -> Value {
    event(seq, json!({"type": "usage", "run_id": "run-1"}))
}

fn started(seq: u64) -> Value {
    event(seq, json!({"type": "run_started", "run_id": "run-1"}))
}

fn stopped(seq: u64) -> Value {
    event(seq, json!({"type": "worker_stopped"}))
}

fn said(offset: usize, text: &str) -> Value {
    json!({"kind": "delta", "worker_id": "w-1",
        "delta": {"type": "text", "run_id": "run-1", "offset": offset, "text": text}})
}

fn in_flight(text: &str) -> Value {
    json!({"kind": "control", "control": {"type": "caught_up",
        "in_flight": {"run_id": "run-1", "text": text}}})
}

fn reset() -> Result<Value, StreamEnd> {
    Err(StreamEnd::Failed(Failure::new(Code::RuntimeUnreachable)))
}

/// A run that says "grüße", and then the link is gone.
fn cut_in_a_run() -> Vec<Result<Value, StreamEnd>> {
    let greeting = said(0, "grüße");
    let frames = [snapshot(), caught_up(), started(2), greeting];
    frames.into_iter().map(Ok).chain([reset()]).collect()
}

fn controls(frames: &[Value]) -> Vec<&str> {
    let controls = frames
        .iter()
        .filter_map(|frame| frame["control"]["type"].as_str());
    controls.collect()
}

#[tokio::test]
async fn what_was_missed_comes_before_it_is_said_that_all_is_well() {
    let first = cut_in_a_run();
    let second = vec![
        Ok(used(3)),
        Ok(in_flight("grüße, und mehr")),
        Ok(said(17, "!")),
    ];
    let (served, _) = telling(Backend::builder(), [first, second]).await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until(|frame| frame["delta"]["text"] == "!").await;
    assert_eq!(
        controls(&seen),
        ["caught_up", "upstream_lost", "upstream_restored"]
    );
    assert_eq!(dense(&seen), [1, 2, 3]);
    assert_eq!(joined(&seen), "grüße, und mehr!");
    let place = |what: &dyn Fn(&Value) -> bool| seen.iter().position(what).unwrap();
    let restored = place(&|frame| frame["control"]["type"] == "upstream_restored");
    assert!(place(&|frame| frame["seq"] == 3) < restored);
    assert!(restored < place(&|frame| frame["delta"]["text"] == ", und mehr"));
}

#[tokio::test]
async fn who_is_still_being_told_the_past_stays_too() {
    let first = vec![Ok(snapshot()), Ok(started(2)), reset()];
    let second = vec![Ok(used(3)), Ok(in_flight("grüße")), Ok(said(7, "!"))];
    let (served, counts) = telling(Backend::builder(), [first, second]).await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until(|frame| frame["delta"]["text"] == "!").await;
    assert_eq!(
        controls(&seen),
        ["upstream_lost", "upstream_restored", "caught_up"]
    );
    assert_eq!(dense(&seen), [1, 2, 3]);
    assert_eq!(joined(&seen), "grüße!");
    assert_eq!(counts.opened(), 2);
}

#[tokio::test]
async fn who_is_caught_up_and_not_yet_with_the_others_stays_too() {
    // The others are told nothing of what happened since.
    let others = vec![Ok(snapshot()), Ok(caught_up())];
    let past = [snapshot(), started(2), in_flight(""), said(0, "grüße")];
    let first = past.into_iter().map(Ok).chain([reset()]).collect();
    let second = vec![Ok(in_flight("grüße, und mehr")), Ok(said(17, "!"))];
    let (served, counts) = telling(Backend::builder(), [others, first, second]).await;
    let mut other = served.watch(WORKER, "").await;
    other.until_caught_up().await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until(|frame| frame["delta"]["text"] == "!").await;
    assert_eq!(
        controls(&seen),
        ["caught_up", "upstream_lost", "upstream_restored"]
    );
    assert_eq!(dense(&seen), [1, 2]);
    assert_eq!(joined(&seen), "grüße, und mehr!");
    assert_eq!(counts.opened(), 3);
}

#[tokio::test]
async fn a_second_gap_in_the_past_is_the_end() {
    let gap = || vec![Ok(snapshot()), Ok(used(3))];
    let (served, counts) = telling(Backend::builder(), [gap(), vec![Ok(used(3))]]).await;
    let mut watcher = served.watch(WORKER, "").await;
    assert_eq!(
        watcher.end().await,
        (Some("runtime_protocol_error".into()), 4502)
    );
    assert_eq!(counts.opened(), 2);
}

/// There is no number after the greatest: what claims to come after it is a step back.
#[tokio::test]
async fn nothing_follows_the_greatest_number() {
    let last = || Ok(event(u64::MAX, json!({"type": "snapshot"})));
    let first = || Ok(used(1));
    let in_the_past = vec![last(), first()];
    let live = vec![last(), Ok(caught_up()), first()];
    for told in [in_the_past, live] {
        let (served, counts) = telling(Backend::builder(), [told, vec![first()]]).await;
        let mut watcher = served.watch(WORKER, "").await;
        assert_eq!(
            watcher.end().await,
            (Some("runtime_protocol_error".into()), 4502)
        );
        assert_eq!(counts.opened(), 2);
    }

    let beyond = json!({"kind": "delta", "worker_id": "w-1",
        "delta": {"type": "x_new", "run_id": "run-1", "offset": u64::MAX, "text": "more"}});
    let told = vec![Ok(snapshot()), Ok(caught_up()), Ok(beyond), Ok(used(2))];
    let (served, _) = telling(Backend::builder(), [told]).await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until(|frame| frame["seq"] == 2).await;
    assert_eq!(seen[2]["delta"]["offset"], u64::MAX);
}

#[tokio::test]
async fn one_event_has_one_number() {
    let mut again = used(2);
    again["cursor"] = snapshot()["cursor"].clone();
    let in_the_past = vec![Ok(snapshot()), Ok(again.clone())];
    let live = vec![Ok(snapshot()), Ok(caught_up()), Ok(again.clone())];
    for told in [in_the_past, live] {
        let (served, counts) = telling(Backend::builder(), [told, vec![Ok(again.clone())]]).await;
        let mut watcher = served.watch(WORKER, "").await;
        assert_eq!(
            watcher.end().await,
            (Some("runtime_protocol_error".into()), 4502)
        );
        assert_eq!(counts.opened(), 2);
    }

    // Who is told another number than all others does not join them.
    let others = vec![Ok(snapshot()), Ok(caught_up())];
    let mut other = snapshot();
    other["seq"] = 7.into();
    let (served, _) = telling(
        Backend::builder(),
        [others, vec![Ok(other), Ok(caught_up())]],
    )
    .await;
    let mut first = served.watch(WORKER, "").await;
    first.until_caught_up().await;
    let mut second = served.watch(WORKER, "").await;
    assert_eq!(
        second.end().await,
        (Some("runtime_protocol_error".into()), 4502)
    );
}

/// Whatever is in flight in truth must go on from what was told.
#[tokio::test]
async fn what_does_not_go_on_from_what_was_told_breaks_the_contract() {
    for wrong in [in_flight("gr"), in_flight("other words"), caught_up()] {
        let told = || vec![Ok(wrong.clone())];
        let first = cut_in_a_run();
        let (served, counts) = telling(Backend::builder(), [first, told(), told()]).await;
        let mut watcher = served.watch(WORKER, "").await;
        let (frames, close) = watcher.rest().await;
        assert_eq!(close, 4502, "{wrong}");
        assert_eq!(
            frames.last().unwrap()["diagnostic"]["code"],
            "runtime_protocol_error"
        );
        assert_eq!(counts.opened(), 3);
    }
}

#[tokio::test]
async fn a_gap_is_filled_from_the_last_cursor_and_a_second_one_is_the_end() {
    let gap = || vec![Ok(snapshot()), Ok(caught_up()), Ok(used(3))];
    let filled = vec![Ok(used(2)), Ok(used(3)), Ok(caught_up()), Ok(used(4))];
    let (served, _) = telling(Backend::builder(), [gap(), filled]).await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until(|frame| frame["seq"] == 4).await;
    assert_eq!(dense(&seen), [1, 2, 3, 4]);
    assert_eq!(
        controls(&seen),
        ["caught_up", "upstream_lost", "upstream_restored"]
    );
    assert!(
        seen.iter()
            .any(|frame| frame["control"]["code"] == "runtime_protocol_error")
    );

    let (served, _) = telling(Backend::builder(), [gap(), vec![Ok(used(3))]]).await;
    let mut watcher = served.watch(WORKER, "").await;
    assert_eq!(
        watcher.end().await,
        (Some("runtime_protocol_error".into()), 4502)
    );
}

#[tokio::test]
async fn where_the_runtime_cannot_go_on_its_watchers_start_afresh_knowingly() {
    for (code, close) in [
        (Code::CursorExpired, 4410),
        (Code::CursorUnknown, 4410),
        (Code::WorkerNotFound, 4404),
    ] {
        let first = vec![Ok(snapshot()), Ok(caught_up()), reset()];
        let second = vec![Err(StreamEnd::Failed(Failure::new(code)))];
        let (served, _) = telling(Backend::builder(), [first, second]).await;
        let mut watcher = served.watch(WORKER, "").await;
        assert_eq!(watcher.until_lost().await, "runtime_unreachable");
        assert_eq!(watcher.end().await, (Some(code.as_str().into()), close));
    }
}

#[tokio::test]
async fn what_a_watcher_sees_of_a_loss() {
    let mut book = Book::default();
    for (cause, end) in [
        ("a_link_that_fell_behind", StreamEnd::SlowConsumer),
        ("a_runtime_that_drains", StreamEnd::Draining),
        (
            "a_reset",
            StreamEnd::Failed(Failure::new(Code::RuntimeUnreachable)),
        ),
    ] {
        let first = vec![
            Ok(snapshot()),
            Ok(caught_up()),
            Ok(started(2)),
            Ok(said(0, "so ")),
            Err(end),
        ];
        let second = vec![
            Ok(in_flight("so far")),
            Ok(event(3, json!({"type": "worker_stopped"}))),
            Err(StreamEnd::Complete),
        ];
        let (served, _) = telling(sealing(), [first, second]).await;
        let watcher = served.watch(WORKER, "").await;
        let path = format!("{WORKER}/events/ws");
        keep_rest(&mut book, cause, &path, Vec::new(), watcher).await;
    }
    assert_kept!("backend_watches_resumed", book);
}

/// Who comes while the Runtime is lost is served from what there is, and told so.
#[tokio::test]
async fn whoever_comes_meanwhile_is_told_that_the_runtime_is_lost() {
    let first = vec![Ok(snapshot()), Ok(caught_up()), Ok(used(2)), reset()];
    let gone = (0..1000).map(|_| vec![reset()]);
    let (served, _) = telling(Backend::builder(), std::iter::once(first).chain(gone)).await;
    let mut watcher = served.watch(WORKER, "").await;
    let seen = watcher.until_control("upstream_lost").await;
    let query = format!("?cursor={}", seen[0]["cursor"].as_str().unwrap());
    let mut late = served.watch(WORKER, &query).await;
    let told = late.until_control("upstream_lost").await;
    assert_eq!(dense(&told), [2]);
    assert_eq!(controls(&told), ["caught_up", "upstream_lost"]);
}

/// Nothing can follow, so nothing is lost.
#[tokio::test]
async fn a_link_that_is_cut_after_the_last_event_is_no_loss() {
    for past in [vec![snapshot(), caught_up()], vec![snapshot()]] {
        let told = past.into_iter().chain([stopped(2)]).map(Ok);
        let (served, _) = telling(Backend::builder(), [told.chain([reset()]).collect()]).await;
        let mut watcher = served.watch(WORKER, "").await;
        let (frames, close) = watcher.rest().await;
        assert_eq!(close, 1000);
        assert_eq!(dense(&frames), [1, 2]);
        assert!(!controls(&frames).contains(&"upstream_lost"));
    }
}

/// Whoever believed it would be told that nothing follows, and not be told the end.
#[tokio::test]
async fn an_end_that_was_not_taken_is_not_believed() {
    let first = vec![Ok(snapshot()), Ok(caught_up()), Ok(stopped(3))];
    let second = vec![Ok(caught_up()), Err(StreamEnd::Complete)];
    let (served, _) = telling(Backend::builder(), [first, second]).await;
    let mut watcher = served.watch(WORKER, "").await;
    assert_eq!(
        watcher.end().await,
        (Some("runtime_protocol_error".into()), 4502)
    );
}

/// A link that comes and goes does not keep an upstream for which nobody is left.
#[tokio::test(start_paused = true)]
async fn nobody_opens_again_and_again_what_nobody_watches() {
    let (runtime, _script) = embedded("inside").await;
    let double = Double::of(runtime).observed(|| {
        let greeting = [Ok(caught_up()), reset()];
        Told::new([Ok(snapshot())].into_iter().chain(greeting))
    });
    let counts = double.counts();
    let backend = Backend::builder()
        .runtime(double.registered("inside"))
        .observation(ObservationSettings {
            linger: Duration::from_millis(300),
            ..soon()
        })
        .build()
        .unwrap();
    let mut watching = crate::hub::watch(&backend, "inside", "w-1").await.unwrap();
    while counts.opened() < 5 {
        watching.next().await.unwrap();
    }
    drop(watching);
    // Long enough for it to be forgotten, however often it was lost meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let opened = counts.opened();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(counts.opened(), opened);
}

#[tokio::test]
async fn nobody_opens_again_what_nobody_watches() {
    let (runtime, _script) = embedded("inside").await;
    let streams = Mutex::new(VecDeque::from([vec![
        Ok(snapshot()),
        Ok(caught_up()),
        reset(),
    ]]));
    let double = Double::of(runtime).observed(move || {
        let told = streams.lock().unwrap().pop_front();
        Told::new(told.unwrap_or_else(|| vec![reset()]))
    });
    let counts = double.counts();
    let builder = Backend::builder().runtime(double.registered("inside"));
    let served = Served::start(builder.observation(ObservationSettings {
        linger: Duration::ZERO,
        ..soon()
    }))
    .await;
    let mut watcher = served.watch(WORKER, "").await;
    watcher.until_lost().await;
    eventually("it is tried again", async || match counts.opened() {
        0..3 => Err(counts.opened()),
        _ => Ok(()),
    })
    .await;
    drop(watcher);
    // Trying ends: who comes then has an upstream of its own, and its end is what it is told.
    eventually("it is forgotten", async || {
        let mut watcher = served.watch(WORKER, "").await;
        match watcher.end().await {
            (Some(code), 4502) if code == "runtime_unreachable" => Ok(()),
            other => Err(other),
        }
    })
    .await;
    served.backend.drain(Duration::from_secs(5)).await;
}

/// Says words in a run, and cuts the link in the middle of them.
#[tokio::test]
async fn a_run_goes_on_over_a_link_that_was_cut() {
    let (outside, mut script) = remote("outside").await;
    let link = FaultProxy::to(&outside).await;
    let builder = Backend::builder()
        .runtime(registered(&link))
        .observation(soon());
    let served = Served::start(builder).await;
    let path = served.create("outside", "w-1").await;
    let mut watchers = Vec::new();
    for _ in 0..5 {
        watchers.push(served.watch(&path, "").await);
    }
    for watcher in &mut watchers {
        watcher.until_caught_up().await;
    }
    served.input(&path).await;
    let run = script.next_run().await;
    for watcher in &mut watchers {
        watcher.until_event("run_started").await;
    }
    let fault = link.inject(Fault::StreamReset.first(1));
    run.say("one ").await;
    fault.until_fired(1).await;
    run.say("two ").await;
    run.say("three").await;
    run.end(worker_runtime::RunEnd::Completed);
    for watcher in &mut watchers {
        let mut seen = watcher.until_event("run_finished").await;
        if !controls(&seen).contains(&"upstream_restored") {
            seen.extend(watcher.until_control("upstream_restored").await);
        }
        assert_eq!(controls(&seen), ["upstream_lost", "upstream_restored"]);
        let entries = seen
            .iter()
            .filter(|frame| frame["event"]["type"] == "entry_appended");
        let said: Vec<&str> = entries
            .map(|frame| frame["event"]["entry"]["content"].as_str().unwrap())
            .collect();
        assert_eq!(said, ["one two three"]);
        let seqs = dense(&seen);
        assert!(seqs.windows(2).all(|two| two[0] + 1 == two[1]), "{seqs:?}");
    }
    fault.undo();
}

/// The Runtime is killed in the middle of a run, and comes back on the same store.
#[tokio::test]
async fn a_runtime_that_is_killed_and_comes_back_tells_how_its_run_ended() {
    let (inside, _script) = embedded("inside").await;
    let (outside, mut script) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(inside))
        .runtime(registered(&outside))
        .observation(soon());
    let served = Served::start(builder).await;
    let here = served.create("inside", "w-1").await;
    let there = served.create("outside", "w-1").await;
    let mut other = served.watch(&here, "").await;
    other.until_caught_up().await;
    let mut watcher = served.watch(&there, "").await;
    let mut seen = watcher.until_caught_up().await;
    served.input(&there).await;
    let run = script.next_run().await;
    run.say("mid-run").await;
    seen.extend(watcher.until(|frame| frame["kind"] == "delta").await);
    outside.kill().await;
    let lost = watcher.until_control("upstream_lost").await;
    assert_eq!(
        lost.last().unwrap()["control"]["code"],
        "runtime_unreachable"
    );
    // Who comes anew is told what is so, and a lost link changes nothing elsewhere.
    let mut late = served.watch(&there, "").await;
    assert_eq!(late.end().await, (Some("runtime_unreachable".into()), 4502));
    assert_eq!(
        served.get(&there).await.brief(),
        "502 runtime_unreachable link -"
    );
    served.post(&format!("{here}/stop"), json!({})).await;
    other.until_event("worker_stopped").await;

    outside.restart().await;
    seen.extend(lost);
    seen.extend(watcher.until_control("upstream_restored").await);
    let ended = seen
        .iter()
        .find(|frame| frame["event"]["type"] == "run_finished");
    assert_eq!(ended.unwrap()["event"]["error"]["code"], "interrupted");
    served.post(&format!("{there}/stop"), json!({})).await;
    seen.extend(watcher.until_event("worker_stopped").await);
    let seqs = dense(&seen);
    assert!(seqs.windows(2).all(|two| two[0] + 1 == two[1]), "{seqs:?}");
    assert_eq!(watcher.end().await, (None, 1000));
}

#[tokio::test]
async fn a_runtime_that_drains_and_comes_back() {
    let (outside, _script) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(registered(&outside))
        .observation(soon());
    let served = Served::start(builder).await;
    let path = served.create("outside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    outside.stop().await;
    assert_eq!(watcher.until_lost().await, "runtime_unavailable");
    // Nobody is there: that is another kind of lost.
    assert_eq!(watcher.until_lost().await, "runtime_unreachable");
    outside.restart().await;
    watcher.until_control("upstream_restored").await;
}
