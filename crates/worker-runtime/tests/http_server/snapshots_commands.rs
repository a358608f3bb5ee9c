//! Every way in which a command is refused or fails.

use std::time::Duration;

use worker_runtime::StoreError;
use yoi_protocol::Code;
use yoi_testkit::TestStore;

use crate::answers::{Book, assert_kept};
use crate::support::{Served, repeatable};

/// Each command with a body, and another body.
const COMMANDS: [(&str, &str, &str); 4] = [
    (
        "/v1/workers",
        r#"{"worker_id":"w-9"}"#,
        r#"{"worker_id":"w-8"}"#,
    ),
    (
        "/v1/workers/w-1/input",
        r#"{"content":"a"}"#,
        r#"{"content":"b"}"#,
    ),
    (
        "/v1/workers/w-1/cancel",
        r#"{"reason":"a"}"#,
        r#"{"reason":"b"}"#,
    ),
    (
        "/v1/workers/w-1/stop",
        r#"{"reason":"a"}"#,
        r#"{"reason":"b"}"#,
    ),
];

const MAX_BODY_BYTES: u64 = 200;

/// All commands, refused with this code for the same cause.
async fn all(book: &mut Book, served: &Served, cause: &str, code: Code, headers: &[(&str, &str)]) {
    for (path, body, _) in COMMANDS {
        let answer = served.keep(book, cause, ("POST", path), headers, Some(body));
        answer.await.problem(code);
    }
}

async fn one(book: &mut Book, served: &Served, cause: &str, code: Code, path: &str, body: &str) {
    let answer = served.keep(book, cause, ("POST", path), &[], Some(body));
    answer.await.problem(code);
}

#[tokio::test]
async fn commands_that_fail() {
    let mut book = Book::default();
    let book = &mut book;
    let store = TestStore::new();
    let kept = store.clone();
    let served = repeatable(move |setup| {
        setup.store = Some(kept);
        setup.limits.max_body_bytes = MAX_BODY_BYTES;
    })
    .await;
    served.worker("w-1", "held").await;

    let soon = [("yoi-deadline-ms", "soon")];
    all(book, &served, "bad_deadline", Code::InvalidRequest, &soon).await;
    let bad = [("idempotency-key", "a b")];
    all(book, &served, "bad_key", Code::InvalidRequest, &bad).await;
    let text = [("content-type", "text/plain")];
    all(book, &served, "no_json", Code::UnsupportedMediaType, &text).await;
    for (path, body, _) in COMMANDS {
        let long = format!("{body}{}", " ".repeat(200));
        one(
            book,
            &served,
            "body_too_large",
            Code::PayloadTooLarge,
            path,
            &long,
        )
        .await;
        one(book, &served, "no_object", Code::InvalidRequest, path, "[]").await;
    }
    let now = [("yoi-deadline-ms", "0")];
    all(book, &served, "too_late", Code::TimedOut, &now).await;
    let key = [("idempotency-key", "k-1")];
    store.fail(StoreError::Refused("the disk is full"));
    all(book, &served, "store_refuses", Code::StoreFailed, &key).await;
    store.heal();
    for (path, body, other) in COMMANDS {
        served.hold.release();
        let first = served.ask("POST", path, &key, Some(body)).await;
        assert!(first.status.is_success(), "{first:?}");
        let answer = served.keep(
            book,
            "key_of_another_body",
            ("POST", path),
            &key,
            Some(other),
        );
        answer.await.problem(Code::IdempotencyConflict);
    }
    for (path, body, _) in &COMMANDS[1..] {
        let path = path.replace("w-1", "w-none");
        one(
            book,
            &served,
            "no_such_worker",
            Code::WorkerNotFound,
            &path,
            body,
        )
        .await;
    }
    served.runtime.drain(Duration::from_secs(5)).await;
    all(book, &served, "draining", Code::Unavailable, &[]).await;

    an_uncertain_store(book).await;
    limits(book).await;
    a_profile_that_is_gone(book).await;
    assert_kept!("runtime_commands", book);
}

/// A log of which it is not known what it holds takes nothing more, so each command has its own.
async fn an_uncertain_store(book: &mut Book) {
    for (path, body, _) in COMMANDS {
        let store = TestStore::new();
        let kept = store.clone();
        let served = repeatable(move |setup| setup.store = Some(kept)).await;
        served.worker("w-1", "held").await;
        store.fail(StoreError::Uncertain("the disk did not answer"));
        let key = [("idempotency-key", "k-1")];
        for cause in ["store_is_uncertain", "store_was_uncertain_before"] {
            let answer = served.keep(book, cause, ("POST", path), &key, Some(body));
            answer.await.problem(Code::StoreFailed);
        }
    }
}

/// Those that follow from what there is already are in the walk over every route.
async fn limits(book: &mut Book) {
    let served = repeatable(|setup| {
        setup.limits.max_runs = 1;
        setup.limits.max_idempotency_keys = 1;
    })
    .await;
    served.worker("w-1", "held").await;
    served.worker("w-2", "held").await;
    served.input("w-1").await;
    let path = "/v1/workers/w-2/input";
    let body = r#"{"content":"a"}"#;
    one(book, &served, "max_runs", Code::LimitReached, path, body).await;
    let first = [("idempotency-key", "k-1")];
    let created = served.ask("POST", "/v1/workers", &first, Some("{}")).await;
    created.value(201);
    let second = [("idempotency-key", "k-2")];
    for (path, body) in [("/v1/workers", "{}"), ("/v1/workers/w-2/stop", "{}")] {
        let asked = ("POST", path);
        let answer = served.keep(book, "max_idempotency_keys", asked, &second, Some(body));
        answer.await.problem(Code::LimitReached);
    }
    served.hold.release();
}

async fn a_profile_that_is_gone(book: &mut Book) {
    let store = TestStore::new();
    let kept = store.clone();
    let before = repeatable(move |setup| setup.store = Some(kept)).await;
    before.worker("w-1", "held").await;
    let after = repeatable(move |setup| {
        setup.store = Some(store.reopened());
        setup.knows_held = false;
    })
    .await;
    let (path, body) = ("/v1/workers/w-1/input", r#"{"content":"a"}"#);
    let code = Code::OperationUnsupported;
    one(book, &after, "profile_is_gone", code, path, body).await;
}
