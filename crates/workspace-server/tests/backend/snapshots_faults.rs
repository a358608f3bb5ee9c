//! What each operation answers, and how each watch ends, when the Runtime cannot be had. The rows
//! of the link table one by one are in `link.rs`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};
use yoi_protocol::Code;
use yoi_workspace_server::Registration;

use crate::answers::{Book, assert_kept};
use crate::kept::{repeatable, sealing};
use crate::link::{behind, coded, named, quick};
use crate::support::Served;

/// What was answered, and how watches ended.
#[derive(Default)]
struct Books {
    answers: Book,
    ends: Book,
}

impl Books {
    /// Asks for each operation of this Runtime, and watches.
    async fn keep(&mut self, served: &Served, runtime: &str, cause: &str, code: Code) {
        let workers = format!("/api/runtimes/{runtime}/workers");
        let one = format!("{workers}/w-1");
        let input = json!({"content": "x"});
        let create = json!({"worker_id": "w-1"});
        let asked: [(&str, String, Option<&Value>); 7] = [
            ("GET", workers.clone(), None),
            ("POST", workers.clone(), Some(&create)),
            ("GET", one.clone(), None),
            ("POST", format!("{one}/input"), Some(&input)),
            ("POST", format!("{one}/cancel"), None),
            ("POST", format!("{one}/stop"), None),
            ("GET", format!("{one}/transcript"), None),
        ];
        for (method, path, body) in asked {
            let asked = (method, path.as_str());
            let reply = served
                .keep(&mut self.answers, cause, asked, &[], body)
                .await;
            assert_eq!(
                reply.body["code"],
                code.as_str(),
                "{cause}: {method} {path}"
            );
        }
        served.keep_watched(&mut self.ends, cause, &one, "").await;
    }
}

/// A Runtime that gives everyone the same answer, and the code that this is.
fn same_answers() -> [(&'static str, Code, ResponseTemplate); 10] {
    let none = Some("none");
    let unknown = Some("unknown");
    let another = named(200).insert_header("yoi-runtime-id", "other");
    let slow = named(200).set_delay(Duration::from_secs(30));
    let draining = json!({"retry_after_ms": 1500});
    [
        ("another_runtime", Code::RuntimeIdentityMismatch, another),
        (
            "credential_refused",
            Code::RuntimeAuthFailed,
            ResponseTemplate::new(401),
        ),
        (
            "no_such_route",
            Code::OperationUnsupported,
            ResponseTemplate::new(404),
        ),
        (
            "no_json",
            Code::RuntimeProtocolError,
            named(200).set_body_raw("<html>", "text/html"),
        ),
        ("broken", Code::RuntimeFailed, ResponseTemplate::new(500)),
        (
            "overloaded",
            Code::RuntimeUnavailable,
            ResponseTemplate::new(503),
        ),
        (
            "draining",
            Code::RuntimeUnavailable,
            coded(Code::Unavailable, none, draining),
        ),
        ("silent", Code::RuntimeTimedOut, slow),
        (
            "its_store_failed",
            Code::StoreFailed,
            coded(Code::StoreFailed, unknown, json!({})),
        ),
        (
            "it_timed_out",
            Code::TimedOut,
            coded(Code::TimedOut, unknown, json!({})),
        ),
    ]
}

#[tokio::test]
async fn every_operation_at_every_fault() {
    let mut books = Books::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gone = behind(&quick(&gone)).await;
    books
        .keep(&gone, "fake", "gone", Code::RuntimeUnreachable)
        .await;
    for (cause, code, answer) in same_answers() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let served = behind(&quick(&server.uri())).await;
        books.keep(&served, "fake", cause, code).await;
    }
    let runtime = repeatable(|builder| builder).await;
    let denied = Registration::embedded(runtime).allow(Some(Vec::new()));
    let denied = Served::start(sealing().runtime(denied)).await;
    books
        .keep(&denied, "inside", "denied", Code::OperationDenied)
        .await;
    books
        .keep(&denied, "none", "no_such_runtime", Code::RuntimeNotFound)
        .await;
    assert_kept!("backend_faults", books.answers);
    assert_kept!("backend_faults_watched", books.ends);
}
