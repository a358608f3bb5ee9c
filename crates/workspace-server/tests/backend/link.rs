//! Every row of the link table, as a client of the Backend sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::{Code, Failure, Operation, Origin, RequestId, Subject};
use yoi_workspace_server::{Backend, Registration, RemoteSettings};

use crate::answers::{Book, assert_kept};
use crate::kept::told;
use crate::support::{PATIENCE, Reply, Served, id, settings};

pub(crate) fn quick(url: &str) -> RemoteSettings {
    let mut settings = settings(url, "link-token");
    settings.allow_plain_http = true;
    settings.timeouts = Timeouts {
        connect: Duration::from_millis(500),
        response: Duration::from_millis(300),
        request: Duration::from_secs(5),
    };
    settings
}

pub(crate) async fn behind(settings: &RemoteSettings) -> Served {
    let registration = Registration::remote(id("fake"), settings).unwrap();
    Served::start(Backend::builder().runtime(registration)).await
}

/// The coded answer of a Runtime of that name.
pub(crate) fn coded(code: Code, effect: Option<&str>, more: Value) -> ResponseTemplate {
    let about = Subject {
        request_id: RequestId::parse("theirs").ok(),
        ..Subject::default()
    };
    let problem =
        Failure::new(code).into_problem(Origin::Runtime, &about, Some(Operation::SendInput));
    let mut body = serde_json::to_value(problem).unwrap();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    match effect {
        Some(effect) => body["effect"] = effect.into(),
        None => drop(body.as_object_mut().unwrap().remove("effect")),
    }
    ResponseTemplate::new(code.status())
        .insert_header("yoi-runtime-id", "fake")
        .set_body_raw(body.to_string(), "application/problem+json")
}

pub(crate) fn named(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("yoi-runtime-id", "fake")
}

fn rows() -> Vec<(&'static str, ResponseTemplate)> {
    let none = Some("none");
    let unknown = Some("unknown");
    let busy = json!({"active_run_id": "run-7", "secret_field": "dropped"});
    let invalid = json!({"errors": [{"pointer": "/content", "message": "too\u{7} short"}]});
    let no_more = json!({"limit": "max_runs", "retry_after_ms": 1500});
    vec![
        ("not_json", named(200).set_body_raw("<html>", "text/html")),
        ("another_shape", named(202).set_body_json(json!({"worker_id": 7}))),
        ("another_worker", named(202).set_body_json(json!({"runtime_id": "fake", "worker_id": "w-2",
            "run_id": "run-1", "sequence": 1, "cursor": "c", "accepted_at": "2026-01-01T00:00:00.000Z"}))),
        ("success_of_nobody", ResponseTemplate::new(202).set_body_json(json!({}))),
        ("redirect", named(307).insert_header("location", "http://elsewhere.example/")),
        ("another_runtime", ResponseTemplate::new(202).insert_header("yoi-runtime-id", "other")),
        ("misdirected", coded(Code::MisdirectedRequest, none, json!({})).insert_header("yoi-runtime-id", "other")),
        ("uncoded_401", ResponseTemplate::new(401)),
        ("coded_401", coded(Code::Unauthorized, none, json!({}))),
        ("uncoded_403", ResponseTemplate::new(403)),
        ("uncoded_404", ResponseTemplate::new(404)),
        ("uncoded_405", ResponseTemplate::new(405)),
        ("uncoded_501", ResponseTemplate::new(501)),
        ("coded_400", coded(Code::InvalidRequest, none, invalid)),
        ("coded_404", coded(Code::WorkerNotFound, none, json!({}))),
        ("coded_409", coded(Code::WorkerBusy, none, busy)),
        ("coded_413", coded(Code::PayloadTooLarge, none, json!({"limit_bytes": 5}))),
        ("coded_422", coded(Code::IdempotencyConflict, none, json!({}))),
        ("limit_reached", coded(Code::LimitReached, none, no_more)),
        ("store_failed", coded(Code::StoreFailed, unknown, json!({}))),
        ("timed_out", coded(Code::TimedOut, unknown, json!({}))),
        ("operation_unsupported", coded(Code::OperationUnsupported, none, json!({"operation": "workers.input"}))),
        ("unavailable", coded(Code::Unavailable, none, json!({}))),
        ("internal_none", coded(Code::Internal, none, json!({}))),
        ("internal_without_effect", coded(Code::Internal, None, json!({}))),
        ("uncoded_408", ResponseTemplate::new(408)),
        ("uncoded_418", ResponseTemplate::new(418)),
        ("uncoded_429", ResponseTemplate::new(429)),
        ("uncoded_500", ResponseTemplate::new(500)),
        ("uncoded_502", ResponseTemplate::new(502)),
        ("uncoded_503", ResponseTemplate::new(503).insert_header("retry-after", "7")),
        ("no_head_in_time", named(202).set_delay(Duration::from_secs(30))),
        ("too_large", named(202).set_body_bytes(vec![b' '; 12_000_000])),
    ]
}

async fn answer(served: &Served) -> Reply {
    let path = "/api/runtimes/fake/workers/w-1/input";
    let headers = [("x-request-id", "req-link")];
    let body = json!({"content": "x"});
    let reply = served.ask("POST", path, &headers, Some(&body)).await;
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply.body["status"], reply.status);
    let is_timed = reply.headers.contains_key("retry-after");
    assert_eq!(is_timed, reply.body["retry_after_ms"].is_u64(), "{reply:?}");
    reply
}

/// Keeps the answer to an input under the name of its row.
async fn keep(book: &mut Book, row: &str, served: &Served) {
    let reply = answer(served).await;
    let request = "POST /api/runtimes/fake/workers/w-1/input".to_owned();
    book.tell(row, request, told(&reply));
}

#[tokio::test]
async fn every_row_has_its_code_origin_and_effect() {
    let mut book = Book::default();
    for (name, template) in rows() {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(template)
            .mount(&server)
            .await;
        let served = behind(&quick(&server.uri())).await;
        keep(&mut book, name, &served).await;
    }
    // A port that nobody listens on, and a name that nobody has.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    keep(&mut book, "refused", &behind(&quick(&closed)).await).await;
    let mut nobody = quick("http://nobody.invalid:7401");
    // However long it takes to be told that nobody has that name.
    nobody.timeouts.connect = PATIENCE;
    nobody.timeouts.request = PATIENCE;
    keep(&mut book, "no_such_name", &behind(&nobody).await).await;
    // Somebody who hangs up, and somebody who talks nonsense.
    for (name, words) in [("reset", &b""[..]), ("not_http", b"220 smtp ready\r\n\r\n")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, words).await;
            }
        });
        keep(&mut book, name, &behind(&quick(&url)).await).await;
        if name == "not_http" {
            // No Runtime at all, and no TLS either.
            let tls = quick(&url.replace("http://", "https://"));
            keep(&mut book, "no_tls", &behind(&tls).await).await;
        }
    }
    let (url, _listener, _queued) = nobody_accepts().await;
    keep(&mut book, "nobody_accepts", &behind(&quick(&url)).await).await;
    let url = stalls().await;
    keep(&mut book, "body_stalls", &behind(&quick(&url)).await).await;
    assert_kept!("backend_link", book);
}

/// Fails the first time, as `first` says, and then succeeds.
struct Twice {
    first: ResponseTemplate,
    then: ResponseTemplate,
    asked: Arc<AtomicUsize>,
    keys: Arc<std::sync::Mutex<Vec<Option<String>>>>,
}

impl Respond for Twice {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let key = request.headers.get("idempotency-key");
        let key = key.map(|value| value.to_str().unwrap().to_owned());
        self.keys.lock().unwrap().push(key);
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => self.first.clone(),
            _ => self.then.clone(),
        }
    }
}

struct Case {
    served: Served,
    asked: Arc<AtomicUsize>,
    keys: Arc<std::sync::Mutex<Vec<Option<String>>>>,
    _server: MockServer,
}

/// A Runtime with these capabilities whose first answer to a command is `first`.
async fn twice(capabilities: Option<&[&str]>, first: ResponseTemplate) -> Case {
    let server = MockServer::start().await;
    if let Some(capabilities) = capabilities {
        let info = json!({"runtime_id": "fake", "boot_id": "b", "api_version": "v1", "version": "0",
            "status": "running", "store": "memory", "capabilities": capabilities,
            "started_at": "2026-01-01T00:00:00.000Z"});
        Mock::given(method("GET"))
            .and(path("/v1/runtime"))
            .respond_with(named(200).set_body_json(info))
            .mount(&server)
            .await;
    }
    let worker = json!({"runtime_id": "fake", "worker_id": "w-1", "display_ref": "w-1@fake",
        "status": "idle", "profile": "echo", "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z", "transcript_length": 0});
    let (asked, keys) = <(Arc<AtomicUsize>, Arc<std::sync::Mutex<Vec<Option<String>>>>)>::default();
    Mock::given(method("POST"))
        .respond_with(Twice {
            first,
            then: named(200).set_body_json(json!({"worker": worker})),
            asked: Arc::clone(&asked),
            keys: Arc::clone(&keys),
        })
        .mount(&server)
        .await;
    let mut settings = quick(&server.uri());
    settings.retry = RetryPolicy {
        base: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    Case {
        served: behind(&settings).await,
        asked,
        keys,
        _server: server,
    }
}

const STOP: &str = "/api/runtimes/fake/workers/w-1/stop";
const CANCEL: &str = "/api/runtimes/fake/workers/w-1/cancel";

#[tokio::test]
async fn a_command_of_unknown_effect_is_sent_again_under_one_minted_key() {
    let case = twice(Some(&["idempotency"]), ResponseTemplate::new(500)).await;
    let reply = case.served.post(STOP, json!({})).await;
    assert_eq!(reply.status, 200, "a 2xx settles it: {}", reply.text);
    let keys = case.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn where_keys_are_not_known_to_be_honoured_nothing_of_unknown_effect_is_sent_again() {
    for capabilities in [None, Some(&["workers.stop"][..])] {
        let case = twice(capabilities, ResponseTemplate::new(500)).await;
        let reply = case.served.post(STOP, json!({})).await;
        assert_eq!(reply.brief(), "502 runtime_failed runtime unknown");
        assert_eq!(case.asked.load(Ordering::SeqCst), 1);
        // But what certainly changed nothing is.
        let refused = coded(
            Code::Unavailable,
            Some("none"),
            json!({"retry_after_ms": 1}),
        );
        let case = twice(capabilities, refused).await;
        assert_eq!(case.served.post(STOP, json!({})).await.status, 200);
        assert_eq!(case.asked.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_cancel_that_names_nothing_is_not_sent_again_after_unknown() {
    let first = || ResponseTemplate::new(500);
    let honours = Some(&["idempotency"][..]);
    let case = twice(honours, first()).await;
    let reply = case.served.post(CANCEL, json!({})).await;
    assert_eq!(reply.brief(), "502 runtime_failed runtime unknown");
    assert_eq!(case.asked.load(Ordering::SeqCst), 1);
    let case = twice(honours, first()).await;
    assert_eq!(
        case.served
            .post(CANCEL, json!({"run_id": "run-1"}))
            .await
            .status,
        200
    );
    let case = twice(honours, first()).await;
    let keyed = [("idempotency-key", "mine")];
    assert_eq!(
        case.served.ask("POST", CANCEL, &keyed, None).await.status,
        200
    );
}

#[tokio::test]
async fn a_runtime_without_keys_gets_none_and_a_callers_is_refused_unsent() {
    let case = twice(Some(&["workers.stop"]), named(200)).await;
    let keyed = [("idempotency-key", "mine")];
    let reply = case.served.ask("POST", STOP, &keyed, None).await;
    assert_eq!(reply.brief(), "501 operation_unsupported runtime none");
    assert_eq!(reply.body["operation"], "idempotency");
    assert_eq!(case.asked.load(Ordering::SeqCst), 0);
    case.served.post(STOP, json!({})).await;
    assert_eq!(*case.keys.lock().unwrap(), [None]);
}

#[tokio::test]
async fn each_operation_is_one_request_to_its_route_with_addressee_and_time_left() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(404))
        .mount(&server)
        .await;
    let served = behind(&quick(&server.uri())).await;
    served.backend.probe().await;
    let before = server.received_requests().await.unwrap().len();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("yoi-deadline-ms", "4000"),
        ("x-request-id", "mine-1"),
        ("traceparent", trace),
    ];
    let base = "/api/runtimes/fake/workers";
    let asked: [(&str, String, Option<Value>, &str); 8] = [
        (
            "GET",
            format!("{base}?status=idle&limit=7&page=abc"),
            None,
            "/v1/workers?status=idle&limit=7&page=abc",
        ),
        ("POST", base.into(), Some(json!({})), "/v1/workers"),
        ("GET", format!("{base}/w-1"), None, "/v1/workers/w-1"),
        (
            "POST",
            format!("{base}/w-1/input"),
            Some(json!({"content": "x"})),
            "/v1/workers/w-1/input",
        ),
        (
            "POST",
            format!("{base}/w-1/cancel"),
            None,
            "/v1/workers/w-1/cancel",
        ),
        (
            "POST",
            format!("{base}/w-1/stop"),
            None,
            "/v1/workers/w-1/stop",
        ),
        (
            "GET",
            format!("{base}/w-1/transcript?after=3&limit=9"),
            None,
            "/v1/workers/w-1/transcript?after=3&limit=9",
        ),
        (
            "GET",
            format!("{base}/w-1/events"),
            None,
            "/v1/workers/w-1/events/ws",
        ),
    ];
    for (index, (method, path, body, upstream)) in asked.iter().enumerate() {
        served.ask(method, path, &headers, body.as_ref()).await;
        let requests = server.received_requests().await.unwrap();
        assert_eq!(
            requests.len(),
            before + index + 1,
            "one request for {method} {path}"
        );
        let request = requests.last().unwrap();
        let target = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        assert_eq!(
            (request.method.as_str(), target.as_str()),
            (*method, *upstream)
        );
        assert_eq!(request.headers["yoi-runtime-id"], "fake");
        assert_eq!(request.headers["authorization"], "Bearer link-token");
        assert_eq!(request.headers["x-request-id"], "mine-1");
        let trace_id = request.headers["traceparent"].to_str().unwrap();
        assert!(
            trace_id.contains("0af7651916cd43dd8448eb211c80319c"),
            "{trace_id}"
        );
        let left: u64 = request.headers["yoi-deadline-ms"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=4000).contains(&left), "{left}");
    }
}

/// An address at which no connection ever comes to stand: its queue is full, and nobody empties
/// it. What fills it must be kept.
async fn nobody_accepts() -> (String, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    loop {
        let connecting = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connecting).await {
            Ok(stream) => queued.push(stream.unwrap()),
            Err(_full) => return (format!("http://{address}"), listener, queued),
        }
        assert!(queued.len() < 64, "the queue does not fill");
    }
}

/// A Runtime that begins an answer and does not end it.
async fn stalls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let half = b"HTTP/1.1 202 Accepted\r\nyoi-runtime-id: fake\r\n\
                content-type: application/json\r\ncontent-length: 500\r\n\r\n{\"worker_id\":";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, half).await;
            open.push(stream);
        }
    });
    url
}

/// A token file that changes the moment the old token is refused, as late as can be.
struct Rotates {
    path: std::path::PathBuf,
    seen: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Respond for Rotates {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let token = request.headers["authorization"].to_str().unwrap();
        self.seen.lock().unwrap().push(token.to_owned());
        if token == "Bearer second-token" {
            let worker = json!({"runtime_id": "fake", "worker_id": "w-1",
                "display_ref": "w-1@fake", "status": "idle", "profile": "echo",
                "created_at": "2026-01-01T00:00:00.000Z",
                "updated_at": "2026-01-01T00:00:00.000Z", "transcript_length": 0});
            return named(200).set_body_json(json!({"worker": worker}));
        }
        std::fs::write(&self.path, "second-token\n").unwrap();
        ResponseTemplate::new(401)
    }
}

#[tokio::test]
async fn a_token_file_that_was_rotated_is_read_again_on_a_401_and_the_command_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "first-token\n").unwrap();
    let server = MockServer::start().await;
    let seen = Arc::<std::sync::Mutex<Vec<String>>>::default();
    Mock::given(method("POST"))
        .respond_with(Rotates {
            path: path.clone(),
            seen: Arc::clone(&seen),
        })
        .mount(&server)
        .await;
    let mut settings = quick(&server.uri());
    let source = yoi_config::SecretSource::open(
        &yoi_config::SecretRef::File(path),
        &yoi_config::Environment::default(),
    );
    settings.token = Some(Arc::new(source.unwrap()));
    let served = behind(&settings).await;
    let reply = served.post(STOP, json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, ["Bearer first-token", "Bearer second-token"]);
}
