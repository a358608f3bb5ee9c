//! The routes that are the Backend's own, and a Worker's events, to the byte.

use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use yoi_workspace_server::Registration;

use crate::answers::{Book, assert_kept};
use crate::kept::{repeatable, sealing};
use crate::support::{STILL, Served, id, settings};

#[tokio::test]
async fn a_walk_over_what_is_its_own() {
    let runtime = repeatable(|builder| builder.display_name("Inside")).await;
    // A port that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gone = Registration::remote(id("gone"), &settings(&gone, "gone-token")).unwrap();
    let hidden = settings("http://127.0.0.1:9", "hidden-token");
    let hidden = Registration::remote(id("hidden"), &hidden).unwrap();
    let builder = sealing()
        .runtime(Registration::embedded(runtime))
        .runtime(gone)
        .runtime(hidden.visible(false))
        .presence(STILL);
    let served = Served::with(builder, |settings| {
        settings.metrics = Arc::new(|| "yoi_up 1\n".to_owned());
    })
    .await;
    for worker in ["w-1", "w-2"] {
        served.create("inside", worker).await;
    }

    let mut book = Book::default();
    for (cause, method, path) in [
        ("healthz", "GET", "/healthz"),
        ("readyz", "GET", "/readyz"),
        ("metrics", "GET", "/metrics"),
        ("openapi", "GET", "/api/openapi.json"),
        ("runtimes", "GET", "/api/runtimes"),
        ("runtime_inside", "GET", "/api/runtimes/inside"),
        ("runtime_gone", "GET", "/api/runtimes/gone"),
        ("runtime_hidden", "GET", "/api/runtimes/hidden"),
        ("runtime_impossible", "GET", "/api/runtimes/N%20O"),
        ("all_workers", "GET", "/api/workers"),
        (
            "all_workers_of_a_status",
            "GET",
            "/api/workers?status=running",
        ),
        ("all_workers_bad_limit", "GET", "/api/workers?limit=0"),
        ("all_workers_bad_page", "GET", "/api/workers?page=forged"),
        ("no_such_route", "GET", "/api/nothing"),
        ("wrong_method", "PUT", "/api/runtimes"),
    ] {
        served
            .keep(&mut book, cause, (method, path), &[], None)
            .await;
    }
    let first = ("GET", "/api/workers?limit=1");
    let first = served
        .keep(&mut book, "all_workers_page", first, &[], None)
        .await;
    let next = first.body["next_page"].as_str().unwrap();
    let next = format!("/api/workers?limit=1&page={next}");
    served
        .keep(
            &mut book,
            "all_workers_next_page",
            ("GET", &next),
            &[],
            None,
        )
        .await;
    assert_kept!("backend_answers", book);
}

#[tokio::test]
async fn the_events_of_a_worker() {
    let runtime = repeatable(|builder| builder).await;
    let served = Served::start(sealing().runtime(Registration::embedded(runtime))).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    let mut seen = watcher.until_caught_up().await;
    let accepted = served
        .post(&format!("{path}/input"), json!({"content": "hi"}))
        .await;
    seen.extend(watcher.until_event("run_finished").await);
    served
        .post(&format!("{path}/stop"), json!({"reason": "done"}))
        .await;

    let mut book = Book::default();
    let events = format!("{path}/events/ws");
    crate::kept::keep_rest(&mut book, "a_worker_to_its_end", &events, seen, watcher).await;
    let query = format!("?cursor={}", accepted.body["cursor"].as_str().unwrap());
    served
        .keep_watched(&mut book, "resumed", &path, &query)
        .await;
    let events = format!("{path}/events");
    let all = served
        .keep(
            &mut book,
            "of_a_stopped_worker",
            ("GET", &events),
            &[],
            None,
        )
        .await;
    let last = all.text.lines().find_map(|line| line.strip_prefix("id: "));
    let last = [("last-event-id", last.unwrap())];
    served
        .keep(&mut book, "all_seen", ("GET", &events), &last, None)
        .await;
    assert_kept!("backend_events", book);
}
