//! The table of the routes: what the OpenAPI document says, and what the router is held to.

use http::StatusCode;
use serde_json::Value;
use yoi_http_kit::{DocumentInfo, ParamKind, RouteDoc, RouteTable};
use yoi_protocol::list::MAX_LIMIT;
use yoi_protocol::{
    CancelRequest, Cancelled, Code, CreateWorker, Frame, InputAccepted, InputRequest, Operation,
    RuntimeInfo, StopRequest, Stopped, Transcript, Worker, WorkerPage, header, path,
};

const STATUSES: ParamKind = ParamKind::OneOf(&["idle", "running", "stopped"]);
const LIMIT: ParamKind = ParamKind::Between(1, MAX_LIMIT);
/// What every command may answer with beside what is its own.
const COMMAND: &[Code] = &[
    Code::StoreFailed,
    Code::Unavailable,
    Code::TimedOut,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::IdempotencyConflict,
];
const READ: &[Code] = &[Code::StoreFailed, Code::TimedOut];
const OBSERVE: &[Code] = &[
    Code::WorkerNotFound,
    Code::CursorInvalid,
    Code::CursorExpired,
    Code::CursorUnknown,
    Code::Unavailable,
];

/// Every route of the Runtime API.
#[must_use]
pub fn table() -> RouteTable {
    RouteTable::new(
        [
            management(),
            catalog(),
            interaction(),
            observation(),
            upkeep(),
        ]
        .into_iter()
        .flatten()
        .map(|route| route.codes(&[Code::MisdirectedRequest]))
        .collect(),
    )
    .with_type::<Frame>()
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

fn management() -> Vec<RouteDoc> {
    vec![
        RouteDoc::get(
            path::runtime::RUNTIME,
            "getRuntime",
            "What the Runtime says of itself",
        )
        .answers::<RuntimeInfo>(StatusCode::OK, "The Runtime")
        .codes(READ),
    ]
}

fn catalog() -> Vec<RouteDoc> {
    vec![
        RouteDoc::get(
            path::runtime::WORKERS,
            "listWorkers",
            "The Workers, by rising id",
        )
        .operation(Operation::ListWorkers)
        .query("status", STATUSES, "Only Workers of this status")
        .query("limit", LIMIT, "How many, 1 to 1000; 100 when absent")
        .query(
            "page",
            ParamKind::Text,
            "Where to go on: next_page of the page before",
        )
        .answers::<WorkerPage>(StatusCode::OK, "One page")
        .codes(READ),
        command(RouteDoc::post(
            path::runtime::WORKERS,
            "createWorker",
            "Creates a Worker",
        ))
        .operation(Operation::CreateWorker)
        .body::<CreateWorker>()
        .answers::<Worker>(StatusCode::CREATED, "The Worker; Location is its path")
        .codes(&[Code::WorkerAlreadyExists, Code::OperationUnsupported]),
        RouteDoc::get(path::runtime::WORKER, "getWorker", "One Worker")
            .operation(Operation::GetWorker)
            .answers::<Worker>(StatusCode::OK, "The Worker")
            .codes(READ)
            .codes(&[Code::WorkerNotFound]),
        command(RouteDoc::post(
            path::runtime::STOP,
            "stopWorker",
            "Stops a Worker for good",
        ))
        .operation(Operation::Stop)
        .optional_body::<StopRequest>()
        .answers::<Stopped>(StatusCode::OK, "The Worker afterwards")
        .codes(&[Code::WorkerNotFound]),
    ]
}

fn interaction() -> Vec<RouteDoc> {
    vec![
        command(RouteDoc::post(
            path::runtime::INPUT,
            "sendInput",
            "Sends a Worker an input",
        ))
        .operation(Operation::SendInput)
        .body::<InputRequest>()
        .answers::<InputAccepted>(StatusCode::ACCEPTED, "Accepted, and its run has begun")
        .codes(&[Code::WorkerNotFound, Code::WorkerBusy, Code::WorkerStopped]),
        command(RouteDoc::post(
            path::runtime::CANCEL,
            "cancelRun",
            "Cancels a Worker's active run",
        ))
        .operation(Operation::Cancel)
        .optional_body::<CancelRequest>()
        .answers::<Cancelled>(StatusCode::OK, "The Worker afterwards")
        .codes(&[Code::WorkerNotFound]),
        RouteDoc::get(
            path::runtime::TRANSCRIPT,
            "getTranscript",
            "What was said, entry by entry",
        )
        .operation(Operation::Transcript)
        .query(
            "after",
            ParamKind::Number,
            "Only entries after this sequence",
        )
        .query("limit", LIMIT, "How many, 1 to 1000; 100 when absent")
        .answers::<Transcript>(StatusCode::OK, "One page")
        .codes(READ)
        .codes(&[Code::WorkerNotFound]),
    ]
}

fn observation() -> Vec<RouteDoc> {
    let cursor = "Everything after this position; a snapshot first when absent";
    vec![
        RouteDoc::get(
            path::runtime::EVENTS_WS,
            "observeWebSocket",
            "Events over a WebSocket",
        )
        .operation(Operation::Events)
        .query("cursor", ParamKind::Text, cursor)
        .answers_nothing(
            StatusCode::SWITCHING_PROTOCOLS,
            "One Frame per text message",
        )
        .codes(READ)
        .codes(OBSERVE)
        .codes(&[Code::UpgradeRequired, Code::OperationUnsupported]),
        RouteDoc::get(
            path::runtime::EVENTS,
            "observeEvents",
            "Events as server-sent events",
        )
        .operation(Operation::Events)
        .query("cursor", ParamKind::Text, cursor)
        .header("last-event-id", ParamKind::Text, "Wins over cursor")
        .answers_with(StatusCode::OK, "One Frame per event", "text/event-stream")
        .answers_nothing(
            StatusCode::NO_CONTENT,
            "The Worker is stopped and all is told",
        )
        .codes(READ)
        .codes(OBSERVE),
    ]
}

fn upkeep() -> Vec<RouteDoc> {
    vec![
        RouteDoc::get(path::runtime::OPENAPI, "getOpenApi", "This document").answers_with(
            StatusCode::OK,
            "OpenAPI 3.1",
            "application/json",
        ),
        RouteDoc::get(path::HEALTHZ, "getHealth", "Whether the process lives")
            .open()
            .answers_with(StatusCode::OK, "It does", "text/plain"),
        RouteDoc::get(path::READYZ, "getReadiness", "Whether it can serve")
            .open()
            .answers_with(StatusCode::OK, "It can", "text/plain")
            .codes(&[Code::Unavailable]),
        RouteDoc::get(path::METRICS, "getMetrics", "Metrics for Prometheus").answers_with(
            StatusCode::OK,
            "Prometheus text",
            "text/plain",
        ),
    ]
}

fn command(route: RouteDoc) -> RouteDoc {
    route
        .header(
            header::IDEMPOTENCY_KEY,
            ParamKind::Matching("^[!-~]{1,255}$"),
            "Names the intended command: sent again, it is applied once",
        )
        .header(
            header::DEADLINE_MS,
            ParamKind::Number,
            "How long the caller still waits",
        )
        .codes(COMMAND)
}
