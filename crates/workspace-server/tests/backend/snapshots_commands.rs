//! Every way in which the Backend itself, or a Runtime inside it, refuses a command.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use worker_runtime::StoreError;
use yoi_protocol::Code;
use yoi_testkit::TestStore;
use yoi_workspace_server::{Attempt, AuditRecord, AuditRefused, AuditSink, Registration};

use crate::answers::{Book, assert_kept};
use crate::kept::{repeatable, sealing};
use crate::support::Served;

const WORKERS: &str = "/api/runtimes/inside/workers";

/// Each command with a body, and another body.
fn commands() -> [(String, Value, Value); 4] {
    let of = |command| format!("{WORKERS}/w-1/{command}");
    let (one, other) = (json!({"reason": "a"}), json!({"reason": "b"}));
    [
        (
            WORKERS.to_owned(),
            json!({"worker_id": "w-9"}),
            json!({"worker_id": "w-8"}),
        ),
        (
            of("input"),
            json!({"content": "a"}),
            json!({"content": "b"}),
        ),
        (of("cancel"), one.clone(), other.clone()),
        (of("stop"), one, other),
    ]
}

/// All commands, refused with this code for the same cause.
async fn all(book: &mut Book, served: &Served, cause: &str, code: Code, headers: &[(&str, &str)]) {
    for (path, body, _) in commands() {
        let reply = served
            .keep(book, cause, ("POST", &path), headers, Some(&body))
            .await;
        assert_eq!(reply.body["code"], code.as_str(), "{path}");
    }
}

struct Deaf;

#[async_trait]
impl AuditSink for Deaf {
    async fn admit(&self, _attempt: &Attempt) -> Result<(), AuditRefused> {
        Err(AuditRefused)
    }
    async fn record(&self, _record: AuditRecord) {}
}

#[tokio::test]
async fn commands_that_fail() {
    let mut book = Book::default();
    let book = &mut book;
    let store = TestStore::new();
    let runtime = repeatable(|builder| builder.store(store.clone())).await;
    let builder = sealing().runtime(Registration::embedded(runtime.clone()));
    let served = Served::with(builder, |settings| settings.max_body_bytes = 200).await;
    served.create("inside", "w-1").await;

    let bad = [("idempotency-key", "a b")];
    all(book, &served, "bad_key", Code::InvalidRequest, &bad).await;
    let text = [("content-type", "text/plain")];
    for (path, body, _) in commands() {
        let asked = ("POST", path.as_str());
        let reply = served
            .keep(book, "no_json", asked, &text, Some(&body))
            .await;
        assert_eq!(reply.status, 415, "{path}");
        let long = json!({ "filler": "x".repeat(200) });
        let reply = served
            .keep(book, "body_too_large", asked, &[], Some(&long))
            .await;
        assert_eq!(reply.status, 413, "{path}");
        let reply = served
            .keep(book, "no_object", asked, &[], Some(&json!([])))
            .await;
        assert_eq!(reply.status, 400, "{path}");
    }
    let now = [("yoi-deadline-ms", "0")];
    all(book, &served, "too_late", Code::TimedOut, &now).await;
    let key = [("idempotency-key", "k-1")];
    store.fail(StoreError::Refused("the disk is full"));
    all(book, &served, "store_refuses", Code::StoreFailed, &key).await;
    store.heal();
    for (path, body, other) in commands() {
        let asked = ("POST", path.as_str());
        let first = served.ask("POST", &path, &key, Some(&body)).await;
        assert!(first.status < 300, "{first:?}");
        let cause = "key_of_another_body";
        let reply = served.keep(book, cause, asked, &key, Some(&other)).await;
        assert_eq!(reply.status, 422, "{path}");
    }
    for (path, body, _) in &commands()[1..] {
        let path = path.replace("w-1", "w-none");
        let cause = "no_such_worker";
        let reply = served
            .keep(book, cause, ("POST", &path), &[], Some(body))
            .await;
        assert_eq!(reply.status, 404, "{path}");
    }
    runtime.drain(Duration::from_secs(5)).await;
    all(
        book,
        &served,
        "runtime_draining",
        Code::RuntimeUnavailable,
        &[],
    )
    .await;
    served.backend.drain(Duration::from_secs(5)).await;
    all(book, &served, "draining", Code::Unavailable, &[]).await;
    let reply = served
        .keep(book, "draining", ("GET", "/readyz"), &[], None)
        .await;
    assert_eq!(reply.status, 503);

    let runtime = repeatable(|builder| builder).await;
    let builder = sealing().runtime(Registration::embedded(runtime));
    let deaf = Served::start(builder.audit(Arc::new(Deaf))).await;
    all(book, &deaf, "audit_refuses", Code::Unavailable, &[]).await;
    assert_kept!("backend_commands", book);
}
