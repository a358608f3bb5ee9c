//! Answers that are kept in a snapshot.

use std::sync::Arc;

use serde_json::{Value, json};
use worker_runtime::{EchoExecutor, ProfileSpec, Runtime, RuntimeBuilder};
use yoi_protocol::Timestamp;
use yoi_testkit::{ManualClock, SequentialIds};
use yoi_workspace_server::{Backend, BackendBuilder, KeyRing, SealKey};

use crate::answers::{Book, Told};
use crate::support::{Reply, STILL, Served, Watcher, id};

/// A Runtime inside, called `inside`, that does the same in every run.
pub(crate) async fn repeatable(change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Runtime {
    let builder = Runtime::builder(id("inside"))
        .profile("echo", ProfileSpec::new(EchoExecutor))
        .ids(SequentialIds::new())
        .clock(ManualClock::new());
    change(builder).start().await.unwrap()
}

/// A Backend that seals the same cursors in every run.
pub(crate) fn sealing() -> BackendBuilder {
    let key = SealKey::from_base64(&format!("{}=", "A".repeat(43))).unwrap();
    Backend::builder()
        .keys(KeyRing::new(key, Vec::new()))
        .presence(STILL)
}

impl Served {
    /// Asks, and keeps the answer under its cause, which names the request, too.
    pub(crate) async fn keep(
        &self,
        book: &mut Book,
        cause: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let id = format!("req-{cause}");
        let headers = [headers, &[("x-request-id", id.as_str())]].concat();
        let reply = self.ask(method, path, &headers, body).await;
        book.tell(cause, format!("{method} {path}"), told(&reply));
        reply
    }

    /// Watches in both ways, and keeps all that comes until the end.
    pub(crate) async fn keep_watched(&self, book: &mut Book, cause: &str, path: &str, query: &str) {
        let watcher = self.watch(path, query).await;
        keep_rest(
            book,
            cause,
            &format!("{path}/events/ws{query}"),
            Vec::new(),
            watcher,
        )
        .await;
        let path = format!("{path}/events{query}");
        self.keep(book, cause, ("GET", &path), &[], None).await;
    }
}

/// Keeps what was seen, and what comes until the close.
pub(crate) async fn keep_rest(
    book: &mut Book,
    cause: &str,
    path: &str,
    mut seen: Vec<Value>,
    mut watcher: Watcher,
) {
    let (rest, close) = watcher.rest().await;
    seen.extend(rest);
    book.tell(cause, format!("GET {path}"), Told::stream(seen, close));
}

/// An answer without what follows the clock of this machine, and without what has a snapshot of
/// its own, having looked at it.
pub(crate) fn told(reply: &Reply) -> Told {
    let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap());
    let mut told = Told::new(reply.status, header, &reply.text);
    settle(&mut told.body);
    told
}

fn settle(body: &mut Value) {
    if body.get("openapi").is_some() {
        assert_eq!(*body, yoi_workspace_server::document());
        *body = json!("[as in backend_openapi]");
    }
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                let fits = match name.as_str() {
                    "last_seen_at" => serde_json::from_value::<Timestamp>(value.clone()).is_ok(),
                    "age_ms" => value.as_u64().is_some_and(|ms| ms < 60_000),
                    "last_error" => {
                        let at = serde_json::from_value::<Timestamp>(value["at"].clone());
                        assert!(at.is_ok(), "{value}");
                        value["at"] = json!("[at]");
                        continue;
                    }
                    _ => {
                        settle(value);
                        continue;
                    }
                };
                assert!(fits, "{name} is {value}");
                *value = json!(format!("[{name}]"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle),
        _ => {}
    }
}

/// What a secret reader is that has no secret to give.
pub(crate) fn broken_reader() -> yoi_http_kit::SecretReader {
    Arc::new(|| panic!("the secret cannot be read"))
}
