//! What the log and the metrics say of a request, and what they never say.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use yoi_http_kit::{SecretString, TokenSet};

use crate::support::{ask, edged, get, metrics_here, post};

/// Keeps all that is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Everything that this process logs. One subscriber for all tests: those of single threads
/// get in each other's way.
fn log() -> &'static Kept {
    static LOG: LazyLock<Kept> = LazyLock::new(|| {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(kept.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        kept
    });
    &LOG
}

const CANARY: &str = "c4n4ry";

#[tokio::test]
async fn ids_queries_bodies_and_tokens_are_in_neither() {
    let metrics = metrics_here();
    let log = log();
    let router = edged(|settings| {
        let secret = || Some(SecretString::from(format!("{CANARY}-token")));
        settings.tokens = TokenSet::open().with("alice", Arc::new(secret));
    });
    let right = ("authorization", "Bearer c4n4ry-token");
    let wrong = ("authorization", "Bearer c4n4ry-wrong");
    let named = ("x-request-id", "req-seen");
    get(&router, "/notes/w-c4n4ry?q=c4n4ry", &[right, named]).await;
    get(&router, "/nowhere/c4n4ry", &[right]).await;
    get(&router, "/caller", &[wrong]).await;
    let json = ("content-type", "application/json");
    let key = ("idempotency-key", CANARY);
    let body = r#"{"text":"c4n4ry","mood":"c4n4ry"}"#;
    ask(
        &router,
        "POST",
        "/notes/w-c4n4ry",
        &[right, json, key],
        body,
    )
    .await;
    ask(&router, "C4N4RY", "/caller", &[right], "").await;

    let log = log.text();
    assert!(
        log.contains("req-seen") && log.contains("/notes/{worker_id}"),
        "{log}"
    );
    let log = log.to_lowercase().replace("\"method\":\"c4n4ry\"", "");
    assert!(!log.contains(CANARY), "{log}");
    let metrics = metrics.text();
    assert!(
        metrics.contains("route=\"/notes/{worker_id}\""),
        "{metrics}"
    );
    assert!(metrics.contains("method=\"other\""), "{metrics}");
    assert!(!metrics.to_lowercase().contains(CANARY), "{metrics}");
}

#[tokio::test]
async fn a_fault_of_ours_is_in_the_log_under_the_request_id() {
    let log = log();
    let answer = post(&edged(|_| {}), "/panic", "").await;
    let request_id = answer.header("x-request-id");
    let log = log.text();
    let told = log
        .lines()
        .find(|line| line.contains("out of paper") && line.contains(request_id))
        .unwrap_or_else(|| panic!("nothing of it in {log}"));
    assert!(told.contains("ERROR"), "{told}");
}

#[tokio::test]
async fn a_trace_is_in_the_log() {
    let log = log();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    get(&edged(|_| {}), "/caller", &[("traceparent", trace)]).await;
    assert!(
        log.text().contains("0af7651916cd43dd8448eb211c80319c"),
        "{}",
        log.text()
    );
}
