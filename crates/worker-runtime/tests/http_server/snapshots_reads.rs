//! Every way in which a read or an observation is refused.

use std::time::Duration;

use worker_runtime::StoreError;
use yoi_protocol::Code;
use yoi_testkit::{Reads, TestStore};

use crate::answers::{Book, assert_kept};
use crate::support::{Served, repeatable};

/// Over a WebSocket: what asks for one.
const UPGRADE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

async fn refused(
    book: &mut Book,
    served: &Served,
    (cause, code): (&str, Code),
    path: &str,
    headers: &[(&str, &str)],
) {
    let answer = served.keep(book, cause, ("GET", path), headers, None);
    answer.await.problem(code);
}

#[tokio::test]
async fn reads_that_fail() {
    let mut book = Book::default();
    let book = &mut book;
    let store = TestStore::new();
    let kept = store.clone();
    let served = repeatable(move |setup| setup.store = Some(kept)).await;
    served.worker("w-1", "echo").await;
    for path in [
        "/v1/workers",
        "/v1/workers/w-1",
        "/v1/workers/w-1/transcript",
    ] {
        let soon = [("yoi-deadline-ms", "soon")];
        let why = ("bad_deadline", Code::InvalidRequest);
        refused(book, &served, why, path, &soon).await;
    }
    for path in ["/v1/workers/w-none", "/v1/workers/w-none/transcript"] {
        let why = ("no_such_worker", Code::WorkerNotFound);
        refused(book, &served, why, path, &[]).await;
    }
    let transcript = "/v1/workers/w-1/transcript";
    store.read(Reads::Fail(StoreError::Refused("the disk is gone")));
    let why = ("store_refuses", Code::StoreFailed);
    refused(book, &served, why, transcript, &[]).await;
    store.read(Reads::Hang);
    let why = ("store_hangs", Code::TimedOut);
    refused(book, &served, why, transcript, &[("yoi-deadline-ms", "50")]).await;
    store.read(Reads::Well);
    served.runtime.drain(Duration::from_secs(5)).await;
    refused(
        book,
        &served,
        ("draining", Code::Unavailable),
        "/readyz",
        &[],
    )
    .await;
    assert_kept!("runtime_reads", book);
}

#[tokio::test]
async fn observations_that_are_refused() {
    let mut book = Book::default();
    observations(&mut book, "events", &[]).await;
    assert_kept!("runtime_observations", book);
}

#[cfg(feature = "ws-server")]
#[tokio::test]
async fn websockets_that_are_refused() {
    let mut book = Book::default();
    observations(&mut book, "events/ws", &UPGRADE).await;
    let served = repeatable(|_| {}).await;
    let events = "/v1/workers/w-1/events/ws";
    let why = ("no_upgrade", Code::UpgradeRequired);
    refused(&mut book, &served, why, events, &[]).await;
    let why = ("broken_handshake", Code::InvalidRequest);
    refused(&mut book, &served, why, events, &UPGRADE[..3]).await;
    assert_kept!("runtime_websockets_refused", book);
}

#[cfg(not(feature = "ws-server"))]
#[tokio::test]
async fn a_server_without_websockets() {
    let mut book = Book::default();
    let served = repeatable(|_| {}).await;
    served.worker("w-1", "echo").await;
    let why = ("built_without", Code::OperationUnsupported);
    refused(
        &mut book,
        &served,
        why,
        "/v1/workers/w-1/events/ws",
        &UPGRADE,
    )
    .await;
    assert_kept!("runtime_without_websockets", book);
}

async fn observations(book: &mut Book, way: &str, headers: &[(&str, &str)]) {
    let path = |worker: &str, cursor: &str| {
        let query = if cursor.is_empty() { "" } else { "?cursor=" };
        format!("/v1/workers/{worker}/{way}{query}{cursor}")
    };
    let with = |name, value| [headers, &[(name, value)]].concat();
    // Keeps only the latest events, so that old cursors expire.
    let store = TestStore::bounded(2, u64::MAX);
    let kept = store.clone();
    let served = repeatable(move |setup| {
        setup.store = Some(kept);
        setup.limits.max_streams = 1;
    })
    .await;
    served.worker("w-1", "echo").await;
    served.worker("w-2", "echo").await;
    let accepted = served.post("/v1/workers/w-1/input", r#"{"content":"a"}"#);
    let accepted = accepted.await.value(202);
    served.until_idle("w-1").await;
    let cursor = accepted["cursor"].as_str().unwrap();

    let soon = with("yoi-deadline-ms", "soon");
    let w1 = path("w-1", "");
    refused(
        book,
        &served,
        ("bad_deadline", Code::InvalidRequest),
        &w1,
        &soon,
    )
    .await;
    for (why, path) in [
        (("no_such_worker", Code::WorkerNotFound), path("w-none", "")),
        (
            ("forged_cursor", Code::CursorInvalid),
            path("w-1", "forged"),
        ),
        (("old_cursor", Code::CursorExpired), path("w-1", cursor)),
        (
            ("cursor_of_another", Code::CursorUnknown),
            path("w-2", cursor),
        ),
    ] {
        refused(book, &served, why, &path, headers).await;
    }
    store.read(Reads::Fail(StoreError::Refused("the disk is gone")));
    refused(
        book,
        &served,
        ("store_refuses", Code::StoreFailed),
        &w1,
        headers,
    )
    .await;
    store.read(Reads::Hang);
    let late = with("yoi-deadline-ms", "50");
    refused(book, &served, ("store_hangs", Code::TimedOut), &w1, &late).await;
    store.read(Reads::Well);
    let open = served
        .send("GET", "/v1/workers/w-2/events", &[], None)
        .await;
    refused(
        book,
        &served,
        ("max_streams", Code::LimitReached),
        &w1,
        headers,
    )
    .await;
    drop(open);
    served.runtime.drain(Duration::from_secs(5)).await;
    refused(book, &served, ("draining", Code::Unavailable), &w1, headers).await;
}
