//! What is said of a link that fails, of a Runtime that fails inside, and at the end of a stream.

use std::time::Duration;

use serde_json::json;
use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunFuture, RunOutput};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::{Code, Operation};
use yoi_testkit::{
    FakeRuntime, Fault, FaultProxy, RemoteRuntime, RuntimeFaults, TestBackend, TestRuntime,
};
use yoi_workspace_server::{CircuitSettings, Registration};

use super::ledger::{Ledger, frames};

const WORKERS: &str = "/api/runtimes/gpu-1/workers";

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    of_the_link(&mut ledger).await;
    of_the_inside(&mut ledger).await;
    of_what_is_not_done(&mut ledger).await;
    ledger
}

/// Short, so that what is too late is soon so.
fn soon() -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(150),
        response: Duration::from_millis(300),
        request: Duration::from_millis(600),
    }
}

async fn of_the_link(ledger: &mut Ledger) {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder()
        .remote(&link)
        .retry(RetryPolicy::NEVER)
        .circuit(CircuitSettings::NEVER)
        .timeouts(soon());
    let backend = backend.start().await;
    let browser = backend.browser();
    let create = json!({"worker_id": "w-1"});
    let _created = browser.ask("POST", WORKERS).json(&create).await.expect(201);

    for (fault, name) in [
        (Fault::NameDoesNotResolve, "runtime_unreachable_dns"),
        (Fault::TlsHandshakeFails, "runtime_unreachable_tls"),
        (Fault::ConnectNeverCompletes, "runtime_timed_out_connect"),
        (Fault::BodyStalls, "runtime_timed_out_body"),
    ] {
        let fault = link.inject(fault.on(Operation::Stop));
        let path = format!("{WORKERS}/w-1/stop");
        let told = browser.ask("POST", &path).json(&json!({})).await;
        ledger.compare(&format!("problems/link/{name}"), &told.json());
        fault.undo();
    }

    // The last frame of a stream says why it is the last.
    for (fault, name) in [
        (Fault::ConnectionRefused, "runtime_unreachable"),
        (Fault::NoHead, "runtime_timed_out"),
        (Fault::NotHttp, "runtime_protocol_error"),
        (Fault::AnotherRuntimesAnswer, "runtime_identity_mismatch"),
        (Fault::Coded(Code::Unauthorized), "runtime_auth_failed"),
        (Fault::Coded(Code::Internal), "runtime_failed"),
        (Fault::Coded(Code::Unavailable), "runtime_unavailable"),
        (Fault::Coded(Code::CursorExpired), "cursor_expired"),
        (Fault::Coded(Code::CursorUnknown), "cursor_unknown"),
        (Fault::Coded(Code::LimitReached), "limit_reached"),
    ] {
        let fault = link.inject(fault.on(Operation::Events));
        let path = format!("{WORKERS}/w-1/events");
        let told = frames(browser.ask("GET", &path).await.expect(200).text());
        let last = told.last().expect("a stream that fails says why");
        assert_eq!(last["diagnostic"]["code"], name, "{last}");
        ledger.compare(&format!("frames/backend/diagnostics/{name}"), last);
        fault.undo();
    }
}

async fn of_the_inside(ledger: &mut Ledger) {
    let insides = RuntimeFaults::new();
    let runtime = insides.runtime("gpu-1").runtime(|runtime| {
        runtime
            .display_name("GPU box")
            .profile("upper", worker_runtime::ProfileSpec::new(Missing))
    });
    let runtime = runtime.start().await;
    let post = |path: &str| runtime.ask("POST", path);
    let create = |id: &str| post("/v1/workers").json(&json!({"worker_id": id}));
    let _created = create("w-1").await.expect(201);

    let hangs = insides.inject(Fault::WriteHangs, &runtime).await;
    let told = post("/v1/workers/w-1/stop").json(&json!({})).await;
    ledger.compare("problems/runtime/timed_out_uncertain", &told.json());
    hangs.undo().await;

    let _created = create("w-2").await.expect(201);
    let drains = insides.inject(Fault::RuntimeDrains, &runtime).await;
    let told = create("w-3").await.expect(503);
    ledger.compare("problems/runtime/unavailable", &told.json());
    let mut said = runtime.ask("GET", "/v1/runtime").await.expect(200).json();
    // Nobody describes a profile of a test.
    said["profiles"][0]["description"] = "Answers with what it is told".into();
    ledger.compare("answers/runtime_draining", &said);
    drop(drains);
}

/// A profile whose program is not there.
struct Missing;

impl Executor for Missing {
    fn name(&self) -> &'static str {
        "command"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Err(ExecutorUnavailable("it is not there"))
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, _run: RunContext, _out: RunOutput) -> RunFuture {
        Box::pin(async { panic!("what is not there does not run") })
    }
}

/// What a Backend refuses before it asks.
async fn of_what_is_not_done(ledger: &mut Ledger) {
    let fake = FakeRuntime::start("gpu-1").await;
    let link = Registration::remote(fake.id().clone(), &fake.remote_settings());
    let link = link.expect("plain HTTP to this machine");
    let link = link.allow(Some(vec![Operation::ListWorkers]));
    let backend = TestBackend::builder().backend(|backend| backend.runtime(link));
    let backend = backend.start().await;
    let browser = backend.browser();
    let input = browser.ask("POST", &format!("{WORKERS}/w-1/input"));
    let told = input.json(&json!({"content": "hi"})).await.expect(403);
    ledger.compare("problems/backend/operation_denied", &told.json());
    let events = browser.ask("GET", &format!("{WORKERS}/w-1/events"));
    let told = frames(events.await.expect(200).text());
    ledger.compare("frames/backend/diagnostics/operation_denied", &told[0]);
}
