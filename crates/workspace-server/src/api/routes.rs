//! The table of the routes: what the OpenAPI document says, and what the router is held to.

use axum::http::StatusCode;
use serde_json::Value;
use yoi_http_kit::openapi::upkeep;
use yoi_http_kit::{DocumentInfo, Operations, RouteDoc, RouteTable};
use yoi_protocol::path::backend::{
    ALL_WORKERS, CANCEL, EVENTS, EVENTS_WS, INPUT, OPENAPI, RUNTIME, RUNTIMES, STOP, TRANSCRIPT,
    WORKER, WORKERS,
};
use yoi_protocol::{Code, Frame, RuntimeDetail, RuntimeList, WorkerSweep};

/// What any operation on a Runtime may fail with, because of policy or of the link.
const LINK: &[Code] = &[
    Code::OperationDenied,
    Code::RuntimeNotFound,
    Code::OperationUnsupported,
    Code::StoreFailed,
    Code::TimedOut,
    Code::RuntimeUnreachable,
    Code::RuntimeIdentityMismatch,
    Code::RuntimeAuthFailed,
    Code::RuntimeProtocolError,
    Code::RuntimeFailed,
    Code::RuntimeUnavailable,
    Code::RuntimeTimedOut,
];

const OPERATIONS: Operations = Operations {
    workers: WORKERS,
    worker: WORKER,
    input: INPUT,
    cancel: CANCEL,
    stop: STOP,
    transcript: TRANSCRIPT,
    events_ws: EVENTS_WS,
    events: EVENTS,
    codes: LINK,
    log: &[],
    // A page cannot read a refused observation: it is told inside.
    observe: &[],
    websocket: &[],
};

/// Every route of the Backend API.
#[must_use]
pub fn table() -> RouteTable {
    let mut routes = fleet();
    routes.extend(OPERATIONS.routes());
    routes.extend(upkeep(OPENAPI));
    RouteTable::new(routes).with_type::<Frame>()
}

/// The OpenAPI 3.1 document of the Backend API.
#[must_use]
pub fn document() -> Value {
    table().document(DocumentInfo {
        title: "yoi Backend API",
        description: "For browsers, command lines and other clients.",
        version: "v1",
    })
}

fn fleet() -> Vec<RouteDoc> {
    let known = "What the Backend knows of its Runtimes, without asking them";
    let one = "What the Backend knows of one Runtime";
    let all = "The Workers of all Runtimes, by runtime and worker id";
    vec![
        RouteDoc::get(RUNTIMES, "listRuntimes", known)
            .deadline()
            .answers::<RuntimeList>(StatusCode::OK, "The visible Runtimes"),
        RouteDoc::get(RUNTIME, "getRuntime", one)
            .deadline()
            .answers::<RuntimeDetail>(StatusCode::OK, "The Runtime, as last seen")
            .codes(&[Code::RuntimeNotFound]),
        RouteDoc::get(ALL_WORKERS, "listAllWorkers", all)
            .deadline()
            .paged()
            .answers::<WorkerSweep>(
                StatusCode::OK,
                "One page; incomplete names the Runtimes whose Workers may be missing",
            ),
    ]
}
