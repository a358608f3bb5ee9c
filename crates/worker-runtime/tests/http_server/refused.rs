//! Who is not let in, and what is never acted on.

use std::sync::Arc;

use serde_json::Value;
use yoi_http_kit::{SecretString, TokenSet};
use yoi_protocol::{Code, Effect};

use crate::support::Served;

#[tokio::test]
async fn browsers_are_refused() {
    let served = Served::start().await;
    for header in [
        ("origin", "http://localhost"),
        ("sec-fetch-site", "same-origin"),
        ("host", "evil.example"),
    ] {
        let answer = served
            .ask("POST", "/v1/workers", &[header], Some("{}"))
            .await;
        answer.problem(Code::ForbiddenOrigin);
    }
    assert_nothing_was_created(&served).await;
}

#[tokio::test]
async fn a_token_is_needed_on_every_route_but_health() {
    let served = Served::with(|setup| {
        setup.settings.tokens =
            TokenSet::open().with("backend", Arc::new(|| Some(SecretString::from("sesame"))));
    })
    .await;
    for (method, path) in worker_runtime::http::table().entries() {
        let path = path.replace("{worker_id}", "w-1");
        let answer = served.ask(method.as_str(), &path, &[], None).await;
        if path == "/healthz" || path == "/readyz" {
            assert_eq!(answer.status.as_u16(), 200, "{path}");
        } else {
            answer.problem(Code::Unauthorized);
        }
    }
    let right = [("authorization", "Bearer sesame")];
    served
        .ask("GET", "/v1/runtime", &right, None)
        .await
        .value(200);
}

#[tokio::test]
async fn a_request_for_another_runtime_does_nothing() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    let elsewhere = [("yoi-runtime-id", "rt-other")];
    for (path, body) in [
        ("/v1/workers", r#"{"worker_id":"w-2"}"#),
        ("/v1/workers/w-1/input", r#"{"content":"x"}"#),
        ("/v1/workers/w-1/stop", "{}"),
    ] {
        let answer = served.ask("POST", path, &elsewhere, Some(body)).await;
        let problem = answer.problem(Code::MisdirectedRequest);
        assert_eq!(problem.effect, Some(Effect::None), "{path}");
        assert_eq!(answer.header("yoi-runtime-id"), "rt-test");
    }
    let page = served.get("/v1/workers").await.value(200);
    assert_eq!(page["workers"].as_array().unwrap().len(), 1);
    let worker = served.get("/v1/workers/w-1").await.value(200);
    assert_eq!(
        (&worker["status"], &worker["transcript_length"]),
        (&Value::from("idle"), &0.into())
    );

    let here = [("yoi-runtime-id", "rt-test")];
    served
        .ask("GET", "/v1/runtime", &here, None)
        .await
        .value(200);
}

/// Ways in which a caller may hope to name a program, a place, or a session.
const TEMPTATIONS: &str = r#"
    "path":"/etc/temptation","socket":"/run/temptation.sock","session":"temptation",
    "session_name":"temptation","program":"/bin/temptation","args":["temptation"],
    "env":{"X":"temptation"},"cwd":"/temptation","url":"http://temptation/",
    "display_ref":"temptation@Test","executor":"temptation""#;

#[tokio::test]
async fn paths_sockets_and_sessions_are_never_acted_on() {
    let served = Served::start().await;
    let create = format!(r#"{{"worker_id":"w-1",{TEMPTATIONS}}}"#);
    let created = served.post("/v1/workers", &create).await;
    assert_eq!(created.value(201)["profile"], "echo");
    let input = format!(r#"{{"content":"x",{TEMPTATIONS}}}"#);
    let accepted = served.post("/v1/workers/w-1/input", &input).await;
    accepted.value(202);
    let cancel = format!("{{{TEMPTATIONS}}}");
    let cancelled = served.post("/v1/workers/w-1/cancel", &cancel).await;
    let stopped = served.post("/v1/workers/w-1/stop", &cancel).await;
    let worker = served
        .get("/v1/workers/w-1?path=/etc&session=temptation")
        .await;
    let transcript = served.get("/v1/workers/w-1/transcript").await;
    for answer in [created, accepted, cancelled, stopped, worker, transcript] {
        assert!(answer.status.is_success(), "{answer:?}");
        assert!(!answer.body.contains("temptation"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_worker_has_no_other_address_than_its_id() {
    let served = Served::start().await;
    let body = r#"{"worker_id":"w-1","display_name":"mine"}"#;
    served.post("/v1/workers", body).await.value(201);
    for other in ["mine", "mine@Test", "w-1@Test", "rt-test%2Fw-1", ".%2Fw-1"] {
        let answer = served.get(&format!("/v1/workers/{other}")).await;
        answer.problem(Code::WorkerNotFound);
    }
}

async fn assert_nothing_was_created(served: &Served) {
    let page = served.get("/v1/workers").await.value(200);
    assert_eq!(page["workers"].as_array().unwrap().len(), 0);
}
