//! Watching: what comes first, what joins, what is shared, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use yoi_protocol::WorkerId;
use yoi_testkit::{Script, ScriptedRun, eventually};
use yoi_workspace_server::{Backend, ObservationSettings, Registration};

use crate::double::{Counts, Double};
use crate::support::{Served, Watcher, dense, embedded, id, registered, remote};

struct Counted {
    served: Served,
    script: Script,
    counts: Arc<Counts>,
    path: String,
}

async fn counted(linger: Duration) -> Counted {
    let (runtime, script) = embedded("inside").await;
    let double = Double::of(runtime);
    let counts = double.counts();
    let builder = Backend::builder()
        .runtime(double.registered("inside"))
        .observation(ObservationSettings {
            linger,
            ..ObservationSettings::default()
        });
    let served = Served::start(builder).await;
    let path = served.create("inside", "w-1").await;
    Counted {
        served,
        script,
        counts,
        path,
    }
}

/// What deltas of the answer add up to, from what was in flight on; breaks where they do not join.
pub(crate) fn joined(frames: &[Value]) -> String {
    let mut text = String::new();
    for frame in frames {
        if let Some(told) = frame["control"]["in_flight"]["text"].as_str() {
            text = told.to_owned();
        }
        if frame["delta"]["type"] == "text" {
            assert_eq!(
                frame["delta"]["offset"].as_u64().unwrap(),
                text.len() as u64,
                "{frame}"
            );
            text.push_str(frame["delta"]["text"].as_str().unwrap());
        }
    }
    text
}

async fn tells_the_story(served: &Served, script: &mut Script, runtime: &str) {
    let path = served.create(runtime, "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    let first = watcher.until_caught_up().await;
    assert_eq!(first[0]["event"]["type"], "snapshot", "{first:?}");
    assert_eq!(first[0]["runtime_id"], runtime);
    assert!(first[0]["cursor"].as_str().unwrap().len() <= 256);

    let accepted = served.input(&path).await;
    let run = script.next_run().await;
    run.say("one ").await;
    run.say("two").await;
    run.complete();
    let story = watcher
        .until(|frame| frame["event"]["status"] == "idle")
        .await;
    assert_eq!(joined(&story), "one two");
    let types: Vec<_> = story
        .iter()
        .filter_map(|f| f["event"]["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "input_accepted",
            "run_started",
            "status_changed",
            "entry_appended",
            "run_finished",
            "status_changed"
        ]
    );
    let seqs = dense(&story);

    // The answer's cursor is the event's, and resuming from it shows all that followed.
    assert_eq!(accepted.body["cursor"], story[0]["cursor"]);
    let cursor = accepted.body["cursor"].as_str().unwrap();
    let mut again = served.watch(&path, &format!("?cursor={cursor}")).await;
    let rest = again.until_caught_up().await;
    assert_eq!(dense(&rest), seqs[1..]);

    let stopped = served.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(stopped.status, 200);
    for watcher in [&mut watcher, &mut again] {
        watcher.until_event("worker_stopped").await;
        assert_eq!(watcher.end().await, (None, 1000));
    }
}

#[tokio::test]
async fn a_watcher_is_told_the_story_of_an_embedded_worker() {
    let (runtime, mut script) = embedded("inside").await;
    let served = Served::over(Registration::embedded(runtime)).await;
    tells_the_story(&served, &mut script, "inside").await;
}

#[tokio::test]
async fn a_watcher_is_told_the_story_of_a_remote_worker() {
    let (runtime, mut script) = remote("outside").await;
    let served = Served::over(registered(&runtime)).await;
    tells_the_story(&served, &mut script, "outside").await;
}

#[tokio::test]
async fn many_watchers_share_one_upstream_and_the_same_bytes() {
    let Counted {
        served,
        mut script,
        counts,
        path,
    } = counted(Duration::from_secs(60)).await;
    let mut watchers: Vec<Watcher> = Vec::new();
    for _ in 0..5 {
        let mut watcher = served.watch(&path, "").await;
        watcher.until_caught_up().await;
        watchers.push(watcher);
    }
    served.input(&path).await;
    let run = script.next_run().await;
    run.say("hello").await;
    run.complete();
    let mut stories = Vec::new();
    for watcher in &mut watchers {
        stories.push(
            watcher
                .until(|frame| frame["event"]["status"] == "idle")
                .await,
        );
    }
    assert!(stories.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(counts.open(), 1, "one upstream for five");

    // Whoever comes back with a cursor that is still there opens none at all.
    let opened = counts.opened();
    let cursor = stories[0][0]["cursor"].as_str().unwrap().to_owned();
    let mut back = served.watch(&path, &format!("?cursor={cursor}")).await;
    let missed = back.until_caught_up().await;
    assert_eq!(dense(&missed), dense(&stories[0])[1..]);
    assert!(
        missed.iter().all(|frame| frame["kind"] != "delta"),
        "events only: {missed:?}"
    );
    assert_eq!(counts.opened(), opened);
}

#[tokio::test]
async fn the_shared_upstream_is_closed_after_the_last_watcher_has_gone() {
    let Counted {
        served,
        counts,
        path,
        ..
    } = counted(Duration::ZERO).await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    assert_eq!(counts.open(), 1);
    drop(watcher);
    eventually("the upstream is closed", async || match counts.open() {
        0 => Ok(()),
        open => Err(open),
    })
    .await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    assert_eq!(counts.open(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_that_come_while_a_run_speaks_get_all_of_it() {
    for outside in [false, true] {
        let (served, mut script, runtime, _remote);
        if outside {
            let (host, s) = remote("outside").await;
            served = Served::over(registered(&host)).await;
            (script, runtime, _remote) = (s, "outside", Some(host));
        } else {
            let (host, s) = embedded("inside").await;
            served = Served::over(Registration::embedded(host)).await;
            (script, runtime, _remote) = (s, "inside", None);
        }
        let path = served.create(runtime, "w-1").await;
        served.input(&path).await;
        let run = script.next_run().await;
        let whole: String = (0..400).map(|n| format!("päiece {n}; ")).collect();
        // Whoever comes after the end finds it in the snapshot: the end waits for all to be there.
        let there = tokio::sync::Semaphore::new(0);
        let saying = async {
            for n in 0..400 {
                run.say(&format!("päiece {n}; ")).await;
                tokio::task::yield_now().await;
            }
            there.acquire_many(12).await.unwrap().forget();
            run.complete();
        };
        let watching = futures_util::future::join_all((0..12).map(async |_| {
            let mut watcher = served.watch(&path, "").await;
            let mut story = watcher.until_caught_up().await;
            there.add_permits(1);
            story.extend(watcher.until_event("entry_appended").await);
            story
        }));
        let ((), stories) = tokio::join!(saying, watching);
        for story in stories {
            assert_eq!(joined(&story), whole);
            dense(&story);
            let entry = &story.last().unwrap()["event"]["entry"];
            assert_eq!(entry["content"], whole.as_str());
        }
    }
}

/// A Worker in a run that has said nothing, and somebody who has watched it from before that.
async fn in_a_run() -> (Served, String, Watcher, ScriptedRun) {
    let mut worker = counted(Duration::from_secs(60)).await;
    let mut first = worker.served.watch(&worker.path, "").await;
    first.until_caught_up().await;
    worker.served.input(&worker.path).await;
    let run = worker.script.next_run().await;
    (worker.served, worker.path, first, run)
}

#[tokio::test]
async fn the_sixth_who_comes_mid_run_is_told_what_is_in_flight() {
    let (served, path, mut first, run) = in_a_run().await;
    run.say("so ").await;
    run.output().thinking("hm").await.unwrap();
    let seen = first
        .until(|frame| frame["delta"]["type"] == "thinking")
        .await;
    let cursor = seen[0]["cursor"].as_str().unwrap();
    // One from the ring, one over an upstream of its own: both are told the same.
    let mut told = Vec::new();
    for query in [format!("?cursor={cursor}"), String::new()] {
        let mut other = served.watch(&path, &query).await;
        let past = other.until_caught_up().await;
        told.push(past.last().unwrap().clone());
        run.say("far").await;
        let next = other.until(|frame| frame["delta"]["type"] == "text").await;
        assert_eq!(next.len(), 1, "{next:?}");
        let offset = next[0]["delta"]["offset"].as_u64().unwrap() as usize;
        assert_eq!(
            told.last().unwrap()["control"]["in_flight"]["text"]
                .as_str()
                .unwrap()
                .len(),
            offset
        );
    }
    assert_eq!(told[0]["control"]["in_flight"]["thinking"], "hm");
    assert_eq!(told[0]["control"]["in_flight"]["text"], "so ");
    assert_eq!(told[1]["control"]["in_flight"]["text"], "so far");
    drop(run);
}

#[tokio::test]
async fn a_ring_and_a_runtime_say_the_same_of_a_run_that_has_said_nothing() {
    let (served, path, mut first, run) = in_a_run().await;
    let seen = first
        .until(|frame| frame["event"]["status"] == "running")
        .await;
    let cursor = seen.last().unwrap()["cursor"].as_str().unwrap();
    let from_ring = served
        .watch(&path, &format!("?cursor={cursor}"))
        .await
        .until_caught_up()
        .await;
    let from_runtime = served.watch(&path, "").await.until_caught_up().await;
    assert_eq!(from_ring.last(), from_runtime.last());
    drop(run);
}

#[tokio::test]
async fn a_watcher_that_speaks_is_told_not_to() {
    let Counted { served, path, .. } = counted(Duration::ZERO).await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    watcher
        .socket
        .send(Message::Text("hi".into()))
        .await
        .unwrap();
    assert_eq!(watcher.end().await, (Some("observation_only".into()), 1008));
}

#[tokio::test]
async fn faults_are_told_after_the_upgrade() {
    let Counted { served, path, .. } = counted(Duration::ZERO).await;
    let hidden = "/api/runtimes/none/workers/w-1";
    for (path, query, code, close) in [
        (path.as_str(), "?cursor=forged", "cursor_invalid", 4400),
        (
            "/api/runtimes/inside/workers/w-none",
            "",
            "worker_not_found",
            4404,
        ),
        (
            "/api/runtimes/inside/workers/W%20X",
            "",
            "worker_not_found",
            4404,
        ),
        (hidden, "", "runtime_not_found", 4404),
        (
            "/api/runtimes/N%20O/workers/w-1",
            "",
            "runtime_not_found",
            4404,
        ),
    ] {
        let mut watcher = served.watch(path, query).await;
        assert_eq!(
            watcher.end().await,
            (Some(code.into()), close),
            "{path}{query}"
        );
    }
    let plain = served.get(&format!("{path}/events/ws")).await;
    assert_eq!(plain.brief(), "426 upgrade_required backend -");
}

#[tokio::test]
async fn server_sent_events_say_the_same_of_an_embedded_worker() {
    let (runtime, _script) = embedded("inside").await;
    tells_it_as_events(
        &Served::over(Registration::embedded(runtime)).await,
        "inside",
    )
    .await;
}

#[tokio::test]
async fn server_sent_events_say_the_same_of_a_remote_worker() {
    let (runtime, _script) = remote("outside").await;
    tells_it_as_events(&Served::over(registered(&runtime)).await, "outside").await;
}

async fn tells_it_as_events(served: &Served, runtime: &str) {
    let path = served.create(runtime, "w-1").await;
    served.post(&format!("{path}/stop"), json!({})).await;
    let reply = served.get(&format!("{path}/events")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    assert_eq!(reply.headers["x-accel-buffering"], "no");
    let frames: Vec<Value> = reply
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(frames[0]["event"]["type"], "snapshot");
    assert_eq!(frames[0]["runtime_id"], runtime);
    let last = reply
        .text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    assert_eq!(frames[0]["cursor"], last);
    // The header wins over the query, and nothing can follow the last cursor.
    let again = served
        .ask(
            "GET",
            &format!("{path}/events?cursor=forged"),
            &[("last-event-id", last)],
            None,
        )
        .await;
    assert_eq!(again.status, 204, "{}", again.text);
    let forged = served.get(&format!("{path}/events?cursor=forged")).await;
    assert_eq!(forged.status, 200);
    assert!(forged.text.contains("cursor_invalid"), "{}", forged.text);
}

#[tokio::test]
async fn catch_ups_are_bounded_and_the_bound_is_named() {
    let (runtime, _script) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(runtime))
        .observation(ObservationSettings {
            max_catch_ups: 0,
            catch_up_wait: Duration::ZERO,
            ..ObservationSettings::default()
        });
    let served = Served::start(builder).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    assert_eq!(watcher.end().await, (Some("limit_reached".into()), 4429));
}

#[tokio::test]
async fn a_reader_that_falls_too_far_behind_is_told_and_holds_nobody_up() {
    let (runtime, mut script) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(runtime))
        .observation(ObservationSettings {
            backlog_bytes: 4_000,
            ..ObservationSettings::default()
        });
    let served = Served::start(builder).await;
    let path = served.create("inside", "w-1").await;
    let (inside, worker) = (id("inside"), WorkerId::parse("w-1").unwrap());
    let caller = yoi_workspace_server::Caller::default();
    let mut slow = served
        .backend
        .watch(&caller, &inside, &worker, None)
        .await
        .unwrap();
    let mut quick = served.watch(&path, "").await;
    // Both are caught up, and the slow one is with the others from here on.
    slow.next().await.unwrap();
    slow.next().await.unwrap();
    quick.until_caught_up().await;
    served.input(&path).await;
    let first = slow.next().await.unwrap();
    let run = script.next_run().await;
    let mut said = Vec::new();
    for n in 0..50 {
        let piece = format!("{n:03}").repeat(30);
        run.say(&piece).await;
        // The quick one keeps up, so that its upstream has seen all of it.
        said.extend(quick.until(|frame| frame["kind"] == "delta").await);
    }
    let mut end = None;
    for _ in 0..100 {
        if let Err(told) = slow.next().await {
            end = Some(told);
            break;
        }
    }
    assert_eq!(end, Some(yoi_protocol::StreamEnd::SlowConsumer));
    // It comes back with its last cursor and has missed no event.
    let cursor = first.cursor.unwrap();
    run.complete();
    let mut back = served.watch(&path, &format!("?cursor={cursor}")).await;
    let story = back.until_event("run_finished").await;
    dense(&story);
}
