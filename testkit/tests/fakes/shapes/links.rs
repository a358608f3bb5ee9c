//! What a Backend says of a Runtime that fails, and of a way that does.

use std::time::Duration;

use serde_json::json;
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::Code;
use yoi_testkit::{Browser, FakeRuntime, RemoteRuntime, TestBackend};
use yoi_workspace_server::{Backoff, BulkheadSettings, CircuitSettings, RemoteSettings};

use super::ledger::Ledger;

const STOP: &str = "/api/runtimes/gpu-1/workers/w-1/stop";

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    let fake = FakeRuntime::start("gpu-1").await;
    let patient = Timeouts {
        connect: Duration::from_secs(60),
        response: Duration::from_secs(60),
        request: Duration::from_secs(60),
    };
    let builder = || {
        TestBackend::builder()
            .retry(RetryPolicy::NEVER)
            .circuit(CircuitSettings::NEVER)
            .timeouts(patient)
    };
    let backend = builder().fake(&fake).start().await;
    let browser = backend.browser();

    let stop = || fake.stop("w-1");
    for (stub, name) in [
        (
            stop().named_by("gpu-2"),
            "runtime/runtime_identity_mismatch",
        ),
        (
            stop().refuses(Code::Unauthorized),
            "runtime/runtime_auth_failed",
        ),
        (stop().anonymous(), "runtime/runtime_protocol_error"),
        (stop().refuses(Code::Internal), "runtime/runtime_failed"),
        (
            stop().refuses(Code::Unavailable),
            "runtime/runtime_unavailable_draining",
        ),
        (
            stop().answers_raw(503, "text/plain", "no").anonymous(),
            "runtime/runtime_unavailable_overloaded",
        ),
    ] {
        let stub = stub.mount().await;
        told(&mut ledger, &browser, name).await;
        stub.verify();
    }

    let impatient = builder().fake(&fake).timeouts(Timeouts {
        response: Duration::from_secs(1),
        ..patient
    });
    let impatient = impatient.start().await;
    let late = stop().after(Duration::from_secs(60)).mount().await;
    let name = "link/runtime_timed_out_response";
    told(&mut ledger, &impatient.browser(), name).await;
    late.verify();

    let nobody = RemoteSettings::new("http://127.0.0.1:1");
    let backend = builder().remote_with("gpu-1", &nobody).start().await;
    told(
        &mut ledger,
        &backend.browser(),
        "link/runtime_unreachable_refused",
    )
    .await;
    let listed = backend
        .browser()
        .ask("GET", "/api/runtimes")
        .await
        .expect(200)
        .json();
    let entry = &listed["runtimes"][0];
    assert!(
        entry["status"] == "offline" || entry["status"] == "unknown",
        "{entry}"
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    let resets = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.readable().await;
            let _ = stream.try_read(&mut head);
            drop(stream);
        }
    });
    let gone = RemoteSettings::new(format!("http://{address}"));
    let backend = builder()
        .remote_with(fake.id().as_str(), &gone)
        .start()
        .await;
    told(
        &mut ledger,
        &backend.browser(),
        "link/runtime_unreachable_reset",
    )
    .await;
    resets.abort();
    refused_here(&mut ledger).await;
    ledger
}

/// What a Backend refuses by itself: a Runtime that is left alone, and one that has no place.
async fn refused_here(ledger: &mut Ledger) {
    let left_alone = RemoteSettings {
        circuit: CircuitSettings {
            failures: 1,
            pause: Backoff {
                base: Duration::from_secs(600),
                max: Duration::from_secs(600),
            },
        },
        ..RemoteSettings::new("http://127.0.0.1:1")
    };
    let no_place = RemoteSettings {
        bulkhead: BulkheadSettings {
            max_calls: 0,
            max_waiting: 0,
        },
        ..RemoteSettings::new("http://127.0.0.1:1")
    };
    for (settings, name) in [
        (left_alone, "backend/runtime_unavailable_circuit_open"),
        (no_place, "backend/runtime_unavailable_overloaded"),
    ] {
        let backend = TestBackend::builder().remote_with("gpu-1", &settings);
        let backend = backend.retry(RetryPolicy::NEVER).start().await;
        let browser = backend.browser();
        let _once = browser.ask("POST", STOP).json(&json!({})).await;
        told(ledger, &browser, name).await;
    }
}

async fn told(ledger: &mut Ledger, browser: &Browser, name: &str) {
    let answer = browser.ask("POST", STOP).json(&json!({})).await;
    ledger.compare(&format!("problems/{name}"), &answer.json());
}
