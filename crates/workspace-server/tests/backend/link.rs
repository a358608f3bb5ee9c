//! The link to a Runtime, as a client of the Backend meets it: each row of its table with the whole
//! answer, what is sent again, and what each request says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::{Code, Effect, Failure, InputAccepted, Operation, Problem};
use yoi_testkit::{
    FakeRuntime, Family, Fault, FaultProxy, LinkRow, MountedStub, Outcome, Received, RemoteRuntime,
    Stub, fixtures,
};
use yoi_workspace_server::Registration;

use crate::answers::{Book, Told, assert_kept};
use crate::kept::told;
use crate::support::{Served, registered};

const INPUT: &str = "/api/runtimes/fake/workers/w-1/input";
const STOP: &str = "/api/runtimes/fake/workers/w-1/stop";
const CANCEL: &str = "/api/runtimes/fake/workers/w-1/cancel";

/// A link on which a Backend does not wait long for what this fault withholds, and long for all
/// else.
pub(crate) async fn impatient(runtime: &impl RemoteRuntime, fault: Fault) -> FaultProxy {
    let long = Duration::from_secs(60);
    let mut timeouts = Timeouts {
        connect: long,
        response: long,
        request: long,
    };
    match fault {
        Fault::ConnectNeverCompletes => timeouts.connect = Duration::from_millis(500),
        Fault::NoHead | Fault::HeadStalls => timeouts.response = Duration::from_millis(500),
        // The head must come before it is over.
        Fault::BodyStalls => timeouts.response = Duration::from_secs(5),
        Fault::BodyTrickles => timeouts.request = Duration::from_secs(5),
        _ => {}
    }
    let link = FaultProxy::builder(runtime).settings(|settings| settings.timeouts = timeouts);
    link.start().await
}

/// What an input is answered, having looked at what every problem must say.
async fn answer(served: &Served) -> Told {
    let headers = [("x-request-id", "req-link")];
    let body = json!({"content": "x"});
    let reply = served.ask("POST", INPUT, &headers, Some(&body)).await;
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply.body["status"], reply.status);
    let is_timed = reply.headers.contains_key("retry-after");
    assert_eq!(is_timed, reply.body["retry_after_ms"].is_u64(), "{reply:?}");
    told(&reply)
}

/// Each fault that makes an input fail on its way or by the Runtime's word, and its row. Of the
/// words those that a Runtime has for an input.
fn faults() -> impl Iterator<Item = (Fault, LinkRow)> {
    let table = worker_runtime::http::table();
    let mut routes = table.documented();
    let input = routes.find(|route| route.path.ends_with("/input")).unwrap();
    let words = input.codes.to_vec();
    Fault::all().filter_map(move |fault| {
        let is_said = match fault {
            Fault::Coded(code) => words.contains(&code),
            other => other.family() != Family::Runtime,
        };
        match fault.outcome(Operation::SendInput) {
            Outcome::Fails(row) if is_said && fault.applies_to(Operation::SendInput) => {
                Some((fault, row))
            }
            Outcome::Fails(_) | Outcome::Unharmed | Outcome::Ends(_) | Outcome::Breaks(_) => None,
            newer => panic!("{fault} comes to what no row here is about: {newer:?}"),
        }
    })
}

/// What else a Runtime may say, or leave out, with a code.
fn words(input: impl Fn() -> Stub<InputAccepted>) -> Vec<(&'static str, Stub<InputAccepted>)> {
    let refused = |code, effect| input().refuses_as(Failure::new(code).with_effect(effect));
    let problem = |name, change: fn(&mut Value)| {
        let mut body = fixtures::get(name).json();
        change(&mut body);
        let status = body["status"].as_u64().unwrap().try_into().unwrap();
        input().answers_raw(status, Problem::CONTENT_TYPE, body.to_string())
    };
    let busy = problem("problems/runtime/worker_busy", |body| {
        body["secret"] = json!("dropped");
    });
    let broken = problem("problems/runtime/internal", |body| {
        body.as_object_mut().unwrap().remove("effect");
    });
    let short = Failure::invalid("/content", "too\u{7} short");
    let full = Failure::limit("max_runs").with_retry_after_ms(1500);
    let pause = input().uncoded(503).with_header("retry-after", "7");
    vec![
        ("message_with_a_bell", input().refuses_as(short)),
        ("field_of_its_own", busy),
        ("broken_without_effect", broken),
        ("broken_in_time", refused(Code::Internal, Effect::None)),
        (
            "store_uncertain",
            refused(Code::StoreFailed, Effect::Unknown),
        ),
        (
            "late_and_uncertain",
            refused(Code::TimedOut, Effect::Unknown),
        ),
        ("limit_that_ends", input().refuses_as(full)),
        ("pause_of_a_proxy", pause),
    ]
}

#[tokio::test]
async fn every_row_has_its_code_origin_and_effect() {
    let fake = FakeRuntime::start("fake").await;
    let mut rows = BTreeMap::<String, Told>::new();
    let taken = fake.send_input("w-1").any_times().mount().await;
    for (fault, row) in faults() {
        let link = impatient(&fake, fault).await;
        let served = Served::over(registered(&link)).await;
        let happens = link.inject(fault.on(Operation::SendInput));
        let told = answer(&served).await;
        assert_eq!(happens.fired(), 1, "{fault}");
        let fields = ["code", "reason", "phase", "effect"];
        let said = fields.iter().filter_map(|name| told.body[name].as_str());
        let (said, row) = (said.collect::<Vec<_>>().join(" "), row.to_string());
        assert_eq!(said, row, "{fault}");
        let first = rows.entry(row).or_insert_with(|| told.clone());
        assert_eq!(*first, told, "{fault} is answered as others of its row are");
    }
    drop(taken);
    let served = Served::over(registered(&fake)).await;
    let mut book = Book::default();
    let request = format!("POST {INPUT}");
    for (row, told) in rows {
        book.tell(&row, request.clone(), told);
    }
    for (cause, stub) in words(|| fake.send_input("w-1")) {
        let _said = stub.first(1).mount().await;
        book.tell(cause, request.clone(), answer(&served).await);
    }
    assert_kept!("backend_link", book);
}

/// A Backend that tries again, and soon.
async fn trying_again(runtime: &impl RemoteRuntime) -> Served {
    let mut settings = runtime.remote_settings();
    settings.retry = RetryPolicy {
        base: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    Served::over(Registration::remote(runtime.id().clone(), &settings).unwrap()).await
}

/// A Runtime that says it can stop Workers, and nothing else.
async fn without_keys() -> FakeRuntime {
    let only = json!(["workers.stop"]);
    let fake = FakeRuntime::builder("fake")
        .info(|info| info.capabilities = serde_json::from_value(only).unwrap());
    fake.start().await
}

/// The keys of all requests, in the order of the stubs.
fn keys(stubs: &[&MountedStub]) -> Vec<Option<String>> {
    let key = |request: Received| request.header("idempotency-key").map(str::to_owned);
    let requests = stubs.iter().flat_map(|stub| stub.received());
    requests.map(key).collect()
}

#[tokio::test]
async fn a_command_of_unknown_effect_is_sent_again_under_one_minted_key() {
    let fake = FakeRuntime::start("fake").await;
    let fails = fake.stop("w-1").uncoded(500).first(1).mount().await;
    let stops = fake.stop("w-1").first(1).mount().await;
    let reply = trying_again(&fake).await.post(STOP, json!({})).await;
    assert_eq!(reply.status, 200, "a 2xx settles it: {}", reply.text);
    let keys = keys(&[&fails, &stops]);
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn where_keys_are_not_known_to_be_honoured_nothing_of_unknown_effect_is_sent_again() {
    for says_what_it_can in [true, false] {
        let fake = without_keys().await;
        let silent = fake.runtime().uncoded(404).any_times();
        let _silent = match says_what_it_can {
            true => None,
            false => Some(silent.mount().await),
        };
        let served = trying_again(&fake).await;
        let fails = fake.stop("w-1").uncoded(500).times(1).mount().await;
        let reply = served.post(STOP, json!({})).await;
        assert_eq!(reply.brief(), "502 runtime_failed runtime unknown");
        drop(fails);
        // But what certainly changed nothing is.
        let soon = Failure::new(Code::Unavailable).with_retry_after_ms(1);
        let _refuses = fake.stop("w-1").refuses_as(soon).first(1).mount().await;
        let _stops = fake.stop("w-1").first(1).mount().await;
        assert_eq!(served.post(STOP, json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn a_cancel_that_names_nothing_is_not_sent_again_after_unknown() {
    let fake = FakeRuntime::start("fake").await;
    let served = trying_again(&fake).await;
    let fails = fake.cancel("w-1").uncoded(500).times(1).mount().await;
    let reply = served.post(CANCEL, json!({})).await;
    assert_eq!(reply.brief(), "502 runtime_failed runtime unknown");
    drop(fails);
    let keyed = [("idempotency-key", "mine")];
    for (headers, body) in [(&[][..], json!({"run_id": "run-1"})), (&keyed, json!({}))] {
        let _fails = fake.cancel("w-1").uncoded(500).first(1).mount().await;
        let _cancels = fake.cancel("w-1").first(1).mount().await;
        let reply = served.ask("POST", CANCEL, headers, Some(&body)).await;
        assert_eq!(reply.status, 200, "{headers:?} {body}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_runtime_without_keys_gets_none_and_a_callers_is_refused_unsent() {
    let fake = without_keys().await;
    let served = trying_again(&fake).await;
    let keyed = [("idempotency-key", "mine")];
    // Nothing is expected yet: were it sent, the fake would fail the test.
    let reply = served.ask("POST", STOP, &keyed, None).await;
    assert_eq!(reply.brief(), "501 operation_unsupported runtime none");
    assert_eq!(reply.body["operation"], "idempotency");
    let stops = fake.stop("w-1").mount().await;
    served.post(STOP, json!({})).await;
    assert_eq!(keys(&[&stops]), [None]);
}

#[tokio::test]
async fn a_token_file_that_was_rotated_is_read_again_on_a_401_and_the_command_is_done() {
    let fake = FakeRuntime::start("fake").await;
    let _stops = fake.stop("w-1").times(1).mount().await;
    let link = FaultProxy::to(&fake).await;
    let served = Served::over(registered(&link)).await;
    // The file changes behind the Backend's back, which reads it again when it is refused.
    let rotated = link.inject(Fault::CredentialRotated.on(Operation::Stop));
    let reply = served.post(STOP, json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(rotated.fired(), 1);
}

#[tokio::test]
async fn each_operation_is_one_request_to_its_route_with_addressee_and_time_left() {
    let fake = FakeRuntime::builder("fake").token("link-token");
    let fake = fake.start().await;
    let served = Served::over(registered(&fake)).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("yoi-deadline-ms", "60000"),
        ("x-request-id", "mine-1"),
        ("traceparent", trace),
    ];
    for (method, path, body, upstream) in [
        ("GET", "?status=idle&limit=7&page=abc", None, None),
        ("POST", "", Some(json!({})), None),
        ("GET", "/w-1", None, None),
        ("POST", "/w-1/input", Some(json!({"content": "x"})), None),
        ("POST", "/w-1/cancel", None, None),
        ("POST", "/w-1/stop", None, None),
        ("GET", "/w-1/transcript?after=3&limit=9", None, None),
        ("GET", "/w-1/events", None, Some("/w-1/events/ws")),
    ] {
        let asked = format!("/api/runtimes/fake/workers{path}");
        served.ask(method, &asked, &headers, body.as_ref()).await;
        let requests = fake.take_unexpected();
        let [request] = requests.as_slice() else {
            panic!("not one request for {method} {path}: {requests:?}")
        };
        let target = format!("/v1/workers{}", upstream.unwrap_or(path));
        assert_eq!((request.method(), request.target()), (method, &*target));
        let header = |name| request.header(name).unwrap_or_default();
        assert_eq!(header("yoi-runtime-id"), "fake");
        assert_eq!(header("authorization"), "Bearer link-token");
        assert_eq!(header("x-request-id"), "mine-1");
        let traceparent = header("traceparent");
        assert!(traceparent.contains(&trace[3..35]), "{traceparent}");
        let left: u64 = header("yoi-deadline-ms").parse().unwrap();
        assert!((1..=60_000).contains(&left), "{left}");
    }
}
