//! The table of the routes: what the OpenAPI document says, and what the router is held to.

use http::StatusCode;
use serde_json::Value;
use yoi_http_kit::openapi::upkeep;
use yoi_http_kit::{DocumentInfo, Operations, RouteDoc, RouteTable};
use yoi_protocol::path::runtime::{
    CANCEL, EVENTS, EVENTS_WS, INPUT, OPENAPI, RUNTIME, STOP, TRANSCRIPT, WORKER, WORKERS,
};
use yoi_protocol::{Code, Frame, RuntimeInfo};

/// What a Runtime knows of an observation, it tells before that begins.
const OBSERVE: &[Code] = &[
    Code::WorkerNotFound,
    Code::CursorInvalid,
    Code::CursorExpired,
    Code::CursorUnknown,
    Code::StoreFailed,
    Code::Unavailable,
    Code::TimedOut,
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
    // The list and the state of a Worker are in memory.
    codes: &[],
    log: &[Code::StoreFailed, Code::TimedOut],
    observe: OBSERVE,
    websocket: &[Code::OperationUnsupported],
};

/// Every route of the Runtime API.
#[must_use]
pub fn table() -> RouteTable {
    let management = RouteDoc::get(RUNTIME, "getRuntime", "What the Runtime says of itself")
        .answers::<RuntimeInfo>(StatusCode::OK, "The Runtime");
    let mut routes = vec![management];
    routes.extend(OPERATIONS.routes());
    routes.extend(upkeep(OPENAPI));
    RouteTable::new(routes)
        .with_type::<Frame>()
        .naming_the_source()
}

/// The OpenAPI 3.1 document of the Runtime API.
#[must_use]
pub fn document() -> Value {
    table().document(DocumentInfo {
        title: "yoi Runtime API",
        description: "For Backends. Browsers never connect here: they go through a Backend.",
        version: "v1",
    })
}
