//! How watches end for other reasons than the link, and what reads are refused.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use worker_runtime::StoreError;
use yoi_protocol::StreamEnd;
use yoi_testkit::{Reads, TestStore, eventually};
use yoi_workspace_server::{Backend, KeyRing, ObservationSettings, Registration, SealKey};

use crate::answers::{Book, assert_kept};
use crate::double::{Double, Told, caught_up, snapshot};
use crate::kept::{keep_rest, repeatable, sealing};
use crate::support::{STILL, Served};

const W1: &str = "/api/runtimes/inside/workers/w-1";
const W1_EVENTS: &str = "/api/runtimes/inside/workers/w-1/events/ws";

#[tokio::test]
async fn watches_that_lead_nowhere() {
    let mut book = Book::default();
    let store = TestStore::bounded(2, u64::MAX);
    let runtime = repeatable(|builder| builder.store(store.clone())).await;
    let inside = || Registration::embedded(runtime.clone());
    let served = Served::start(sealing().runtime(inside())).await;
    let one = served.create("inside", "w-1").await;
    let two = served.create("inside", "w-2").await;
    let accepted = served
        .post(&format!("{one}/input"), json!({"content": "a"}))
        .await;
    eventually("the run's end", async || {
        let worker = served.get(&one).await.body;
        if worker["status"] == "idle" {
            Ok(())
        } else {
            Err(worker)
        }
    })
    .await;
    let cursor = format!("?cursor={}", accepted.body["cursor"].as_str().unwrap());
    let none = "/api/runtimes/inside/workers/w-none";
    for (cause, path, query) in [
        ("forged_cursor", one.as_str(), "?cursor=forged"),
        ("old_cursor", &one, &cursor),
        ("cursor_of_another", &two, &cursor),
        ("no_such_worker", none, ""),
        (
            "impossible_worker",
            "/api/runtimes/inside/workers/N%20O",
            "",
        ),
        ("impossible_runtime", "/api/runtimes/N%20O/workers/w-1", ""),
    ] {
        served.keep_watched(&mut book, cause, path, query).await;
    }
    store.read(Reads::Fail(StoreError::Refused("the disk is gone")));
    served
        .keep_watched(&mut book, "store_refuses", &one, "")
        .await;
    store.read(Reads::Hang);
    let late = [("yoi-deadline-ms", "50")];
    let events = format!("{one}/events");
    served
        .keep(&mut book, "store_hangs", ("GET", &events), &late, None)
        .await;
    store.read(Reads::Well);

    let key = SealKey::from_base64(&format!("{}=", "E".repeat(43))).unwrap();
    let other = Backend::builder().keys(KeyRing::new(key, Vec::new()));
    let other = Served::start(other.presence(STILL).runtime(inside())).await;
    other
        .keep_watched(&mut book, "cursor_of_another_key", &one, &cursor)
        .await;

    let full = ObservationSettings {
        max_catch_ups: 0,
        catch_up_wait: Duration::ZERO,
        ..ObservationSettings::default()
    };
    let full = Served::start(sealing().runtime(inside()).observation(full)).await;
    full.keep_watched(&mut book, "max_catch_ups", &one, "")
        .await;

    let plain = [("upgrade", "websocket")];
    served
        .keep(&mut book, "no_upgrade", ("GET", W1_EVENTS), &[], None)
        .await;
    served
        .keep(
            &mut book,
            "broken_handshake",
            ("GET", W1_EVENTS),
            &plain,
            None,
        )
        .await;
    for path in [none.to_owned(), format!("{none}/transcript")] {
        served
            .keep(&mut book, "no_such_worker_read", ("GET", &path), &[], None)
            .await;
    }
    assert_kept!("backend_watches", book);
}

/// What a watcher of a Worker at `served` is sent until it is caught up.
macro_rules! caught_up {
    ($served:expr) => {{
        let mut watcher = $served.watch(W1, "").await;
        let seen = watcher.until_caught_up().await;
        (watcher, seen)
    }};
}

#[tokio::test]
async fn watches_that_end() {
    let mut book = Book::default();
    let runtime = repeatable(|builder| builder).await;
    let inside = || Registration::embedded(runtime.clone());
    let served = Served::start(sealing().runtime(inside())).await;
    served.create("inside", "w-1").await;

    let (mut watcher, seen) = caught_up!(served);
    watcher.socket.send(Message::text("do this")).await.unwrap();
    keep_rest(&mut book, "a_watcher_that_speaks", W1_EVENTS, seen, watcher).await;

    let past = || [Ok(snapshot()), Ok(caught_up())];
    for (cause, past, end) in [
        // One that is still the client's own; a shared one is opened again.
        (
            "a_link_that_fell_behind",
            &past()[..1],
            StreamEnd::SlowConsumer,
        ),
        (
            "a_runtime_that_hears_things",
            &past()[..],
            StreamEnd::ObservationOnly,
        ),
    ] {
        let told: Vec<_> = past.iter().cloned().chain([Err(end)]).collect();
        let double = Double::of(runtime.clone()).observed(move || Told::new(told.clone()));
        let served = Served::start(sealing().runtime(double.registered("inside"))).await;
        served.keep_watched(&mut book, cause, W1, "").await;
    }

    let (watcher, seen) = caught_up!(served);
    served.backend.drain(Duration::from_secs(5)).await;
    keep_rest(&mut book, "a_backend_that_drains", W1_EVENTS, seen, watcher).await;
    assert_kept!("backend_watches_ended", book);
}
