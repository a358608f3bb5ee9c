//! The Backend's cursors: sealed, and good at any Backend that has the key.

use serde_json::{Value, json};
use yoi_testkit::eventually;
use yoi_workspace_server::{Backend, KeyRing, Registration, SealKey};

use crate::support::{Served, dense, embedded, registered, remote};

fn key(byte: &str) -> SealKey {
    SealKey::from_base64(&format!("{}=", byte.repeat(43))).unwrap()
}

#[tokio::test]
async fn a_cursor_outlives_the_backend_that_sealed_it_and_rotates() {
    let (runtime, mut script) = embedded("inside").await;
    let registration = || Registration::embedded(runtime.clone());
    let start = async |keys: KeyRing| {
        Served::start(Backend::builder().runtime(registration()).keys(keys)).await
    };
    let first = start(KeyRing::new(key("A"), Vec::new())).await;
    let path = first.create("inside", "w-1").await;
    let other = first.create("inside", "w-2").await;
    let accepted = first.input(&path).await;
    let cursor = accepted.body["cursor"].as_str().unwrap().to_owned();
    script.next_run().await.complete();
    let query = format!("?cursor={cursor}");

    let again = start(KeyRing::new(key("A"), Vec::new())).await;
    let rotated = start(KeyRing::new(key("E"), vec![key("A")])).await;
    for served in [&first, &again, &rotated] {
        let mut watcher = served.watch(&path, &query).await;
        let frames = watcher.until_event("run_finished").await;
        assert_eq!(frames[0]["event"]["type"], "run_started", "{frames:?}");
    }
    let gone = start(KeyRing::new(key("E"), Vec::new())).await;
    let mut watcher = gone.watch(&path, &query).await;
    assert_eq!(watcher.end().await, (Some("cursor_unknown".into()), 4410));
    let mut watcher = first.watch(&other, &query).await;
    assert_eq!(
        watcher.end().await,
        (Some("cursor_unknown".into()), 4410),
        "another worker's"
    );
    for bad in [
        cursor[..cursor.len() - 2].to_owned(),
        format!("{cursor}A"),
        format!("B{}", &cursor[1..]),
    ] {
        let mut watcher = first.watch(&path, &format!("?cursor={bad}")).await;
        assert_eq!(
            watcher.end().await,
            (Some("cursor_invalid".into()), 4400),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_cursor_of_another_life_is_unknown_and_a_runtimes_own_is_invalid() {
    let keys = || KeyRing::new(key("A"), Vec::new());
    let (old, _script) = embedded("inside").await;
    let over = async |runtime| {
        let builder = Backend::builder().runtime(Registration::embedded(runtime));
        Served::start(builder.keys(keys())).await
    };
    let served = over(old.clone()).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    let cursor = watcher.frame().await["cursor"].as_str().unwrap().to_owned();

    let (new, _script) = embedded("inside").await;
    let reborn = over(new).await;
    reborn.create("inside", "w-1").await;
    let mut watcher = reborn.watch(&path, &format!("?cursor={cursor}")).await;
    assert_eq!(watcher.end().await, (Some("cursor_unknown".into()), 4410));

    let worker = yoi_protocol::WorkerId::parse("w-1").unwrap();
    let own = old
        .observe(&worker, None)
        .await
        .unwrap()
        .next()
        .await
        .unwrap()
        .cursor
        .unwrap();
    let mut watcher = served.watch(&path, &format!("?cursor={own}")).await;
    assert_eq!(watcher.end().await, (Some("cursor_invalid".into()), 4400));
}

/// Whoever comes back is served by whatever Backend is there: one that was there before, or one
/// that was just started in the place of another.
#[tokio::test]
async fn a_client_hops_between_backends_in_the_middle_of_runs_and_misses_nothing() {
    let (outside, mut script) = remote("outside").await;
    let start = async || {
        let builder = Backend::builder()
            .runtime(registered(&outside))
            .keys(KeyRing::new(key("A"), vec![key("E")]));
        Served::start(builder).await
    };
    let mut backends = [start().await, start().await];
    let path = backends[0].create("outside", "w-1").await;
    let mut seen: Vec<Value> = Vec::new();
    for hop in 0..12 {
        if hop % 4 == 3 {
            // Its process is another one now.
            backends[hop % 2] = start().await;
        }
        let served = &backends[hop % 2];
        let query = match seen.last() {
            Some(last) => format!("?cursor={}", last["cursor"].as_str().unwrap()),
            None => String::new(),
        };
        let mut watcher = served.watch(&path, &query).await;
        watcher
            .until_caught_up()
            .await
            .into_iter()
            .for_each(|frame| {
                if frame["kind"] == "event" {
                    seen.push(frame);
                }
            });
        backends[(hop + 1) % 2].input(&path).await;
        let run = script.next_run().await;
        run.say("some words").await;
        let told = watcher.until(|frame| frame["kind"] == "delta").await;
        seen.extend(told.into_iter().filter(|frame| frame["kind"] == "event"));
        // It leaves in the middle, and what comes then is for whoever it asks next.
        drop(watcher);
        run.complete();
        eventually("it is idle", async || {
            match backends[0].get(&path).await.body["status"].as_str() {
                Some("idle") => Ok(()),
                other => Err(other.map(str::to_owned)),
            }
        })
        .await;
    }
    backends[0].post(&format!("{path}/stop"), json!({})).await;
    let query = format!(
        "?cursor={}",
        seen.last().unwrap()["cursor"].as_str().unwrap()
    );
    let (rest, close) = backends[1].watch(&path, &query).await.rest().await;
    assert_eq!(close, 1000);
    seen.extend(rest.into_iter().filter(|frame| frame["kind"] == "event"));
    // Dense, from the first to the last, and none twice.
    let seqs = dense(&seen);
    assert_eq!(seqs.first(), Some(&1));
    assert_eq!(seqs.len() as u64, *seqs.last().unwrap());
    let entries = seen
        .iter()
        .filter(|frame| frame["event"]["type"] == "entry_appended");
    assert_eq!(entries.count(), 12);
    assert_eq!(seen.last().unwrap()["event"]["type"], "worker_stopped");
}
