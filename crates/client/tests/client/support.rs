//! What every test needs: ids, a client, patient or not, a Worker.

use std::time::Duration;

use yoi_client::{Client, ClientBuilder, Perspective, RetryPolicy, Timeouts, Workers};
use yoi_protocol::{
    Api, Cursor, Failure, InputAccepted, RunId, RuntimeId, RuntimeInfo, Timestamp, WorkerId,
};

pub(crate) const RUNTIME: &str = "gpu-1";

pub(crate) fn runtime_id() -> RuntimeId {
    RuntimeId::parse(RUNTIME).unwrap()
}

pub(crate) fn worker_id() -> WorkerId {
    WorkerId::parse("w-1").unwrap()
}

/// A Backend's client of the Runtime [`RUNTIME`], which tries nothing twice and waits longer than
/// anything takes that comes at all.
pub(crate) fn link(base_url: &str) -> ClientBuilder {
    Client::builder(base_url)
        .unwrap()
        .perspective(Perspective::Link)
        .addressee(runtime_id())
        .retry(RetryPolicy::NEVER)
        .timeouts(Timeouts {
            connect: Duration::from_secs(30),
            response: Duration::from_secs(30),
            request: Duration::from_secs(60),
        })
}

/// One that does not wait long for a connection, for a head or for more of a body: for what never
/// comes.
pub(crate) fn impatient(base_url: &str) -> ClientBuilder {
    link(base_url).timeouts(Timeouts {
        connect: Duration::from_millis(1500),
        response: Duration::from_millis(1500),
        request: Duration::from_secs(60),
    })
}

/// Up to `attempts` attempts, with hardly a wait between them.
pub(crate) fn quick(attempts: u32) -> RetryPolicy {
    RetryPolicy {
        max_attempts: attempts,
        base: Duration::from_millis(2),
        max: Duration::from_millis(4),
        ..RetryPolicy::default()
    }
}

pub(crate) fn workers(builder: ClientBuilder) -> Workers {
    builder.build().unwrap().workers(Api::Runtime)
}

pub(crate) fn accepted() -> InputAccepted {
    InputAccepted {
        runtime_id: runtime_id(),
        worker_id: worker_id(),
        run_id: RunId::parse("run-1").unwrap(),
        sequence: 1,
        cursor: Cursor::parse("c1").unwrap(),
        accepted_at: Timestamp::from_unix_ms(0),
    }
}

pub(crate) fn info() -> RuntimeInfo {
    serde_json::from_value(serde_json::json!({
        "runtime_id": RUNTIME, "boot_id": "b-1", "api_version": "v1", "version": "0.1.0",
        "status": "running", "store": "memory", "started_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

/// `code reason phase effect`, as far as they are there: what a row of the table says.
pub(crate) fn row(failure: &Failure) -> String {
    let mut parts = vec![failure.code.as_str().to_owned()];
    parts.extend(failure.details.reason.map(|it| it.as_str().to_owned()));
    parts.extend(failure.details.phase.map(|it| it.as_str().to_owned()));
    parts.push(format!("{:?}", failure.effect).to_lowercase());
    parts.join(" ")
}
