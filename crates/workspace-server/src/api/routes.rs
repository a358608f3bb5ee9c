//! The table of the routes: what the OpenAPI document says, and what the router is held to.

use axum::http::StatusCode;
use serde_json::Value;
use yoi_http_kit::openapi::{DocumentInfo, ParamKind};
use yoi_http_kit::{RouteDoc, RouteTable};
use yoi_protocol::{
    CancelRequest, Cancelled, Code, CreateWorker, Frame, InputAccepted, InputRequest, Operation,
    RuntimeDetail, RuntimeList, StopRequest, Stopped, Transcript, Worker, WorkerPage, WorkerSweep,
    header, path,
};

const STATUSES: ParamKind = ParamKind::OneOf(&["idle", "running", "stopped"]);
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
/// What every command may fail with beside that.
const COMMAND: &[Code] = &[
    Code::Unavailable,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::IdempotencyConflict,
];

/// Every route of the Backend API.
#[must_use]
pub fn table() -> RouteTable {
    let groups = [fleet(), catalog(), interaction(), observation(), upkeep()];
    RouteTable::new(groups.into_iter().flatten().collect()).with_type::<Frame>()
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
    let all = "The Workers of all Runtimes, by runtime and worker id";
    vec![
        RouteDoc::get(
            path::backend::RUNTIMES,
            "listRuntimes",
            "What the Backend knows of its Runtimes, without asking them",
        )
        .answers::<RuntimeList>(StatusCode::OK, "The visible Runtimes"),
        RouteDoc::get(
            path::backend::RUNTIME,
            "getRuntime",
            "What the Backend knows of one Runtime",
        )
        .answers::<RuntimeDetail>(StatusCode::OK, "The Runtime, as last seen")
        .codes(&[Code::RuntimeNotFound]),
        paged(RouteDoc::get(
            path::backend::ALL_WORKERS,
            "listAllWorkers",
            all,
        ))
        .answers::<WorkerSweep>(
            StatusCode::OK,
            "One page; incomplete names the Runtimes whose Workers may be missing",
        ),
    ]
}

fn catalog() -> Vec<RouteDoc> {
    vec![
        paged(RouteDoc::get(
            path::backend::WORKERS,
            "listWorkers",
            "The Workers of one Runtime, by rising id",
        ))
        .operation(Operation::ListWorkers)
        .answers::<WorkerPage>(StatusCode::OK, "One page")
        .codes(LINK),
        command(RouteDoc::post(
            path::backend::WORKERS,
            "createWorker",
            "Creates a Worker",
        ))
        .operation(Operation::CreateWorker)
        .body::<CreateWorker>()
        .answers::<Worker>(StatusCode::CREATED, "The Worker; Location is its path")
        .codes(&[Code::WorkerAlreadyExists]),
        RouteDoc::get(path::backend::WORKER, "getWorker", "One Worker")
            .operation(Operation::GetWorker)
            .answers::<Worker>(StatusCode::OK, "The Worker")
            .codes(LINK)
            .codes(&[Code::WorkerNotFound]),
        command(RouteDoc::post(
            path::backend::STOP,
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
            path::backend::INPUT,
            "sendInput",
            "Sends a Worker an input",
        ))
        .operation(Operation::SendInput)
        .body::<InputRequest>()
        .answers::<InputAccepted>(StatusCode::ACCEPTED, "Accepted, and its run has begun")
        .codes(&[Code::WorkerNotFound, Code::WorkerBusy, Code::WorkerStopped]),
        command(RouteDoc::post(
            path::backend::CANCEL,
            "cancelRun",
            "Cancels a Worker's active run",
        ))
        .operation(Operation::Cancel)
        .optional_body::<CancelRequest>()
        .answers::<Cancelled>(StatusCode::OK, "The Worker afterwards")
        .codes(&[Code::WorkerNotFound]),
        RouteDoc::get(
            path::backend::TRANSCRIPT,
            "getTranscript",
            "What was said, entry by entry",
        )
        .operation(Operation::Transcript)
        .query(
            "after",
            ParamKind::Number,
            "Only entries after this sequence",
        )
        .query(
            "limit",
            ParamKind::Number,
            "How many, 1 to 1000; 100 when absent",
        )
        .answers::<Transcript>(StatusCode::OK, "One page")
        .codes(LINK)
        .codes(&[Code::WorkerNotFound]),
    ]
}

fn observation() -> Vec<RouteDoc> {
    let cursor = "Everything after this position; a snapshot first when absent";
    vec![
        RouteDoc::get(
            path::backend::EVENTS_WS,
            "observeWebSocket",
            "Events over a WebSocket; faults are told after the upgrade",
        )
        .operation(Operation::Events)
        .query("cursor", ParamKind::Text, cursor)
        .answers_nothing(
            StatusCode::SWITCHING_PROTOCOLS,
            "One Frame per text message",
        )
        .codes(&[Code::UpgradeRequired]),
        RouteDoc::get(
            path::backend::EVENTS,
            "observeEvents",
            "Events as server-sent events; faults are told as the last of them",
        )
        .operation(Operation::Events)
        .query("cursor", ParamKind::Text, cursor)
        .header("last-event-id", ParamKind::Text, "Wins over cursor")
        .answers_with(StatusCode::OK, "One Frame per event", "text/event-stream")
        .answers_nothing(
            StatusCode::NO_CONTENT,
            "The Worker is stopped and all is told",
        ),
    ]
}

fn upkeep() -> Vec<RouteDoc> {
    vec![
        RouteDoc::get(path::backend::OPENAPI, "getOpenApi", "This document").answers_with(
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

fn paged(route: RouteDoc) -> RouteDoc {
    route
        .query("status", STATUSES, "Only Workers of this status")
        .query(
            "limit",
            ParamKind::Number,
            "How many, 1 to 1000; 100 when absent",
        )
        .query(
            "page",
            ParamKind::Text,
            "Where to go on: next_page of the page before",
        )
}

fn command(route: RouteDoc) -> RouteDoc {
    route
        .header(
            header::IDEMPOTENCY_KEY,
            ParamKind::Text,
            "Names the intended command: sent again, it is applied once",
        )
        .header(
            header::DEADLINE_MS,
            ParamKind::Number,
            "How long the caller still waits",
        )
        .codes(LINK)
        .codes(COMMAND)
}
