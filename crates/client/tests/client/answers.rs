//! Answers that a server gives over real HTTP: successes, coded, uncoded, misshapen.

use serde_json::json;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};
use yoi_client::{Call, Client, Perspective};
use yoi_protocol::{
    Api, Code, Effect, Failure, InputRequest, ListQuery, Operation, Origin, Subject,
    TranscriptQuery, WorkerStatus,
};

use crate::support::{RUNTIME, accepted, info, link, row, worker_id, workers};

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    server
}

fn named(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("yoi-runtime-id", RUNTIME)
}

/// Sends an input to a server that answers like this, and says as which row it fails.
async fn input(answer: ResponseTemplate) -> String {
    let server = server(answer).await;
    let error = workers(link(&server.uri()))
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap_err();
    row(&error.failure)
}

#[tokio::test]
async fn a_success_comes_with_what_its_head_says() {
    let answer = named(202)
        .insert_header("yoi-boot-id", "b-1")
        .insert_header("idempotency-replayed", "true")
        .set_body_json(accepted());
    let server = server(answer).await;
    let answer = workers(link(&server.uri()))
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap();
    assert_eq!(answer.value, accepted());
    assert_eq!(answer.boot_id.unwrap().as_str(), "b-1");
    assert!(answer.replayed);
}

#[tokio::test]
async fn queries_are_those_of_the_contract() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/prefix/v1/workers"))
        .and(query_param("status", "idle"))
        .and(query_param("limit", "7"))
        .and(query_param("page", "p-1"))
        .respond_with(named(200).set_body_json(json!({"workers": []})))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/prefix/v1/workers/w-1/transcript"))
        .and(query_param("after", "3"))
        .respond_with(named(200).set_body_json(json!({
            "runtime_id": RUNTIME, "worker_id": "w-1", "first_sequence": 1, "entries": [],
        })))
        .expect(1)
        .mount(&server)
        .await;
    let workers = workers(link(&format!("{}/prefix/", server.uri())));
    let query = ListQuery {
        status: Some(WorkerStatus::Idle),
        limit: Some(7),
        page: Some(yoi_protocol::PageToken::parse("p-1").unwrap()),
    };
    workers.list(&query, &Call::default()).await.unwrap();
    let query = TranscriptQuery {
        after: Some(3),
        limit: None,
    };
    workers
        .transcript(&worker_id(), &query, &Call::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(named(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    for status in [301, 302, 303, 307, 308] {
        let answer = named(status).insert_header("location", elsewhere.uri());
        assert_eq!(
            input(answer).await,
            "runtime_protocol_error unknown",
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_success_of_nobody_or_of_another() {
    let nobody = ResponseTemplate::new(202).set_body_json(accepted());
    assert_eq!(
        input(nobody.clone()).await,
        "runtime_protocol_error unknown"
    );
    let another = nobody.insert_header("yoi-runtime-id", "gpu-2");
    assert_eq!(input(another).await, "runtime_identity_mismatch unknown");
}

#[tokio::test]
async fn each_coded_problem_arrives_as_its_row() {
    for &code in Code::ALL {
        let problem = Failure::new(code).with_effect(Effect::None).into_problem(
            Origin::Runtime,
            &Subject::default(),
            Some(Operation::SendInput),
        );
        let answer = named(code.status()).set_body_json(&problem);
        let server = server(answer).await;
        let error = workers(link(&server.uri()))
            .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.failure.code,
            yoi_client::classify::passed_on(Failure::new(code)).code,
            "{code}"
        );
        assert_eq!(error.failure.effect, Effect::None, "{code}");
        let unread = matches!(code.status(), 401 | 403);
        assert_eq!(error.problem.is_none(), unread, "{code}");
    }
}

#[tokio::test]
async fn uncoded_statuses() {
    for (status, expected) in [
        (401, "runtime_auth_failed none"),
        (403, "runtime_auth_failed none"),
        (404, "operation_unsupported none"),
        (405, "operation_unsupported none"),
        (408, "runtime_timed_out response unknown"),
        (418, "runtime_protocol_error none"),
        (421, "runtime_identity_mismatch unknown"),
        (429, "runtime_unavailable overloaded unknown"),
        (500, "runtime_failed unknown"),
        (501, "operation_unsupported none"),
        (502, "runtime_failed unknown"),
        (503, "runtime_unavailable overloaded unknown"),
        (504, "runtime_failed unknown"),
    ] {
        let html = ResponseTemplate::new(status).set_body_string("<html>proxy</html>");
        assert_eq!(input(html).await, expected, "{status}");
    }
}

#[tokio::test]
async fn retry_after_is_read() {
    let server = server(ResponseTemplate::new(503).insert_header("retry-after", "7")).await;
    let error = workers(link(&server.uri()))
        .get(&worker_id(), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.details.retry_after_ms, Some(7000));
}

#[tokio::test]
async fn a_success_that_is_not_the_contracts() {
    let html = named(202).set_body_raw("<html>welcome</html>", "text/html");
    assert_eq!(input(html).await, "runtime_protocol_error unknown");
    let broken = named(202).set_body_raw("{\"worker_id\":", "application/json");
    assert_eq!(input(broken).await, "runtime_protocol_error unknown");
    let other = named(202).set_body_json(json!({"ok": true}));
    assert_eq!(input(other).await, "runtime_protocol_error unknown");
    assert_eq!(input(named(204)).await, "runtime_protocol_error unknown");
}

#[tokio::test]
async fn a_cursor_longer_than_a_runtimes_is_refused() {
    let mut long = accepted();
    long.cursor = yoi_protocol::Cursor::parse(&"c".repeat(129)).unwrap();
    let answer = named(202).set_body_json(&long);
    assert_eq!(input(answer).await, "runtime_protocol_error unknown");
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_cap() {
    let mut body = serde_json::to_vec(&accepted()).unwrap();
    let exact = body.len();
    let server = MockServer::start().await;
    body.push(b' ');
    Mock::given(wiremock::matchers::any())
        .respond_with(named(202).set_body_raw(body, "application/json"))
        .mount(&server)
        .await;
    let input = async |cap: usize| {
        workers(link(&server.uri()).max_answer_bytes(cap))
            .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
            .await
            .map_err(|error| row(&error.failure))
    };
    assert_eq!(
        input(exact).await.unwrap_err(),
        "runtime_protocol_error unknown"
    );
    assert!(input(exact + 1).await.is_ok());
}

#[tokio::test]
async fn caps_follow_the_limits_of_a_runtime() {
    let client = link("http://127.0.0.1:1").build().unwrap();
    let before = client.caps();
    client.follow_limits(&yoi_protocol::Limits {
        max_page_bytes: 64 * 1024 * 1024,
        ..yoi_protocol::Limits::default()
    });
    assert!(client.caps().answer_bytes > before.answer_bytes);
    assert!(client.caps().answer_bytes > 64 * 1024 * 1024);
    client.follow_limits(&yoi_protocol::Limits {
        max_run_output_bytes: u64::MAX,
        ..yoi_protocol::Limits::default()
    });
    assert_eq!(client.caps().frame_bytes, 1 << 30, "bounded all the same");
}

#[tokio::test]
async fn a_backend_needs_not_name_itself() {
    let server = MockServer::start().await;
    Mock::given(path("/api/runtimes"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"runtimes": []})))
        .mount(&server)
        .await;
    let problem = Failure::new(Code::RuntimeNotFound).into_problem(
        Origin::Backend,
        &Subject::default(),
        None,
    );
    Mock::given(path("/api/runtimes/gone/workers"))
        .respond_with(ResponseTemplate::new(404).set_body_json(&problem))
        .mount(&server)
        .await;
    let client = Client::builder(&server.uri()).unwrap().build().unwrap();
    assert!(client.runtimes(&Call::default()).await.is_ok());
    let error = client
        .workers(Api::Backend(
            yoi_protocol::RuntimeId::parse("gone").unwrap(),
        ))
        .list(&ListQuery::default(), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.code, Code::RuntimeNotFound);
    assert_eq!(error.failure.origin, Some(Origin::Backend));
    assert_eq!(*error.problem.unwrap(), problem);
}

#[tokio::test]
async fn without_an_addressee_any_runtime_may_answer_a_link() {
    let server = server(named(200).set_body_json(info())).await;
    let client = Client::builder(&server.uri())
        .unwrap()
        .perspective(Perspective::Link)
        .build()
        .unwrap();
    let answer = client.runtime_info(&Call::default()).await.unwrap();
    assert_eq!(answer.value, info());
}

#[test]
fn an_answer_may_hold_an_intent_as_large_as_the_body_that_made_it() {
    // The widest that a body can grow: numbers that are shorter as they came.
    let max_body_bytes = 64 * 1024 * 1024;
    let limits = yoi_protocol::Limits {
        max_body_bytes,
        ..yoi_protocol::Limits::default()
    };
    let number: serde_json::Value = serde_json::from_str("[1e15]").unwrap();
    let grown = max_body_bytes * (number.to_string().len() as u64 - 1) / "1e15,".len() as u64;
    let caps = yoi_client::Caps::for_limits(&limits);
    for bytes in [caps.answer_bytes, caps.frame_bytes] {
        assert!(bytes as u64 > grown, "{bytes} for {grown}");
    }
}
