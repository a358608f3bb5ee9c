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

/// Longer than anything takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A link to a Runtime, and a Backend that takes it.
struct Way {
    link: FaultProxy,
    backend: TestBackend,
}

impl Way {
    async fn to(runtime: &TestRuntime, timeouts: Timeouts) -> Self {
        let link = FaultProxy::builder(runtime)
            .settings(|settings| settings.timeouts = timeouts)
            .start()
            .await;
        let backend = TestBackend::builder()
            .remote(&link)
            .retry(RetryPolicy::NEVER)
            .circuit(CircuitSettings::NEVER);
        let backend = backend.start().await;
        Self { link, backend }
    }
}

async fn of_the_link(ledger: &mut Ledger) {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let patient = Timeouts {
        connect: PATIENCE,
        response: PATIENCE,
        request: PATIENCE,
    };
    let way = Way::to(&runtime, patient).await;
    // Only what never comes is to be too late.
    let no_connection = Timeouts {
        connect: Duration::from_millis(500),
        ..patient
    };
    let no_connection = Way::to(&runtime, no_connection).await;
    let no_answer = Timeouts {
        response: Duration::from_millis(1500),
        ..patient
    };
    let no_answer = Way::to(&runtime, no_answer).await;
    let create = way.backend.browser().ask("POST", WORKERS);
    let create = create.json(&json!({"worker_id": "w-1"}));
    let _created = create.await.expect(201);

    for (fault, way, name) in [
        (Fault::NameDoesNotResolve, &way, "runtime_unreachable_dns"),
        (Fault::TlsHandshakeFails, &way, "runtime_unreachable_tls"),
        (
            Fault::ConnectNeverCompletes,
            &no_connection,
            "runtime_timed_out_connect",
        ),
        (Fault::BodyStalls, &no_answer, "runtime_timed_out_body"),
    ] {
        let browser = way.backend.browser();
        let fault = way.link.inject(fault.on(Operation::Stop));
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
        let way = match fault {
            Fault::NoHead => &no_answer,
            _ => &way,
        };
        let browser = way.backend.browser();
        let fault = way.link.inject(fault.on(Operation::Events));
        let path = format!("{WORKERS}/w-1/events");
        let told = frames(browser.ask("GET", &path).await.expect(200).text());
        let last = told.last().expect("a stream that fails says why");
        assert_eq!(last["diagnostic"]["code"], name, "{last}");
        ledger.compare(&format!("frames/backend/diagnostics/{name}"), last);
        fault.undo();
    }
}

async fn of_the_inside(ledger: &mut Ledger) {
    let create = |runtime: &TestRuntime, id: &str| {
        let create = runtime.ask("POST", "/v1/workers");
        create.json(&json!({"worker_id": id}))
    };
    let insides = RuntimeFaults::new().operation_timeout(Duration::from_secs(2));
    let runtime = insides.runtime("gpu-1").start().await;
    let _created = create(&runtime, "w-1").await.expect(201);
    let hangs = insides.inject(Fault::WriteHangs, &runtime).await;
    let stop = runtime.ask("POST", "/v1/workers/w-1/stop");
    let told = stop.json(&json!({})).await;
    ledger.compare("problems/runtime/timed_out_uncertain", &told.json());
    hangs.undo().await;

    let insides = RuntimeFaults::new().operation_timeout(PATIENCE);
    let runtime = insides.runtime("gpu-1").runtime(|runtime| {
        runtime
            .display_name("GPU box")
            .profile("upper", worker_runtime::ProfileSpec::new(Missing))
    });
    let runtime = runtime.start().await;
    let _created = create(&runtime, "w-2").await.expect(201);
    let drains = insides.inject(Fault::RuntimeDrains, &runtime).await;
    let told = create(&runtime, "w-3").await.expect(503);
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
