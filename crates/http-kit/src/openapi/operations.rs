//! The operations that a Runtime and a Backend have alike.

use http::StatusCode;
use yoi_protocol::list::MAX_LIMIT;
use yoi_protocol::{
    CancelRequest, Cancelled, Code, CreateWorker, InputAccepted, InputRequest, Operation,
    StopRequest, Stopped, Transcript, Worker, WorkerPage, header, path,
};

use super::route::{ParamKind, RouteDoc};

/// What every command may answer with beside what is its own.
const COMMAND: &[Code] = &[
    Code::Unavailable,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::IdempotencyConflict,
];

/// Where a server has the operations of the contract, and what is its own about how they fail.
#[derive(Debug, Clone, Copy)]
pub struct Operations {
    /// The template of the path of all Workers.
    pub workers: &'static str,
    /// Of one Worker.
    pub worker: &'static str,
    /// Of inputs to it.
    pub input: &'static str,
    /// Of cancelling its run.
    pub cancel: &'static str,
    /// Of stopping it.
    pub stop: &'static str,
    /// Of what was said.
    pub transcript: &'static str,
    /// Of its events over a WebSocket.
    pub events_ws: &'static str,
    /// Of its events as server-sent events.
    pub events: &'static str,
    /// What any read or command may answer with here.
    pub codes: &'static [Code],
    /// What one that needs the log may, beside that: the commands, and the transcript.
    pub log: &'static [Code],
    /// What an observation may answer with here, before it begins.
    pub observe: &'static [Code],
    /// What one over a WebSocket may, beside that.
    pub websocket: &'static [Code],
}

impl Operations {
    /// The routes: catalog, interaction, observation.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteDoc> {
        vec![
            self.list(),
            self.create(),
            self.get(),
            self.stop(),
            self.input(),
            self.cancel(),
            self.transcript(),
            self.events_ws(),
            self.events(),
        ]
    }

    fn list(&self) -> RouteDoc {
        let summary = "The Workers of one Runtime, by rising id";
        self.operation(
            RouteDoc::get(self.workers, "listWorkers", summary),
            Operation::ListWorkers,
        )
        .paged()
        .answers::<WorkerPage>(StatusCode::OK, "One page")
    }

    fn create(&self) -> RouteDoc {
        self.command(
            RouteDoc::post(self.workers, "createWorker", "Creates a Worker"),
            Operation::CreateWorker,
        )
        .body::<CreateWorker>()
        .answers::<Worker>(StatusCode::CREATED, "The Worker")
        .codes(&[Code::WorkerAlreadyExists, Code::OperationUnsupported])
    }

    fn get(&self) -> RouteDoc {
        self.operation(
            RouteDoc::get(self.worker, "getWorker", "One Worker"),
            Operation::GetWorker,
        )
        .answers::<Worker>(StatusCode::OK, "The Worker")
        .codes(&[Code::WorkerNotFound])
    }

    fn stop(&self) -> RouteDoc {
        self.command(
            RouteDoc::post(self.stop, "stopWorker", "Stops a Worker for good"),
            Operation::Stop,
        )
        .optional_body::<StopRequest>()
        .answers::<Stopped>(StatusCode::OK, "The Worker afterwards")
        .codes(&[Code::WorkerNotFound])
    }

    fn input(&self) -> RouteDoc {
        self.command(
            RouteDoc::post(self.input, "sendInput", "Sends a Worker an input"),
            Operation::SendInput,
        )
        .body::<InputRequest>()
        .answers::<InputAccepted>(StatusCode::ACCEPTED, "Accepted, and its run has begun")
        .codes(&[
            Code::WorkerNotFound,
            Code::WorkerBusy,
            Code::WorkerStopped,
            Code::OperationUnsupported,
        ])
    }

    fn cancel(&self) -> RouteDoc {
        self.command(
            RouteDoc::post(self.cancel, "cancelRun", "Cancels a Worker's active run"),
            Operation::Cancel,
        )
        .optional_body::<CancelRequest>()
        .answers::<Cancelled>(StatusCode::OK, "The Worker afterwards")
        .codes(&[Code::WorkerNotFound])
    }

    fn transcript(&self) -> RouteDoc {
        let summary = "What was said, entry by entry";
        self.operation(
            RouteDoc::get(self.transcript, "getTranscript", summary),
            Operation::Transcript,
        )
        .query(
            "after",
            ParamKind::Number,
            "Only entries after this sequence",
        )
        .limited()
        .answers::<Transcript>(StatusCode::OK, "One page")
        .codes(&[Code::WorkerNotFound])
        .codes(self.log)
    }

    fn events_ws(&self) -> RouteDoc {
        let summary = "Events over a WebSocket";
        self.observation(RouteDoc::get(self.events_ws, "observeWebSocket", summary))
            .answers_nothing(
                StatusCode::SWITCHING_PROTOCOLS,
                "One Frame per text message; what fails from here on is told by the last of them",
            )
            .codes(&[Code::UpgradeRequired])
            .codes(self.websocket)
    }

    fn events(&self) -> RouteDoc {
        let summary = "Events as server-sent events";
        self.observation(RouteDoc::get(self.events, "observeEvents", summary))
            .header("last-event-id", ParamKind::Text, "Wins over cursor")
            .answers_with(
                StatusCode::OK,
                "One Frame per event; what fails from here on is told by the last of them",
                "text/event-stream",
            )
            .answers_nothing(
                StatusCode::NO_CONTENT,
                "The Worker is stopped and all is told",
            )
    }

    fn observation(&self, route: RouteDoc) -> RouteDoc {
        let cursor = "Everything after this position; a snapshot first when absent";
        route
            .operation(Operation::Events)
            .deadline()
            .query("cursor", ParamKind::Text, cursor)
            .codes(self.observe)
    }

    fn command(&self, route: RouteDoc, operation: Operation) -> RouteDoc {
        self.operation(route, operation)
            .header(
                header::IDEMPOTENCY_KEY,
                ParamKind::Matching("^[!-~]{1,255}$"),
                "Names the intended command: sent again, it is applied once",
            )
            .codes(COMMAND)
            .codes(self.log)
    }

    fn operation(&self, route: RouteDoc, operation: Operation) -> RouteDoc {
        route.operation(operation).deadline().codes(self.codes)
    }
}

/// The routes that every server has beside its operations; `openapi` is where its document is.
#[must_use]
pub fn upkeep(openapi: &'static str) -> Vec<RouteDoc> {
    vec![
        RouteDoc::get(openapi, "getOpenApi", "This document").answers_with(
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

impl RouteDoc {
    /// The caller may say how long it still waits.
    #[must_use]
    pub fn deadline(self) -> Self {
        self.header(
            header::DEADLINE_MS,
            ParamKind::Number,
            "How many milliseconds the caller still waits",
        )
    }

    /// A list of Workers, page by page.
    #[must_use]
    pub fn paged(self) -> Self {
        self.query(
            "status",
            ParamKind::OneOf(&["idle", "running", "stopped"]),
            "Only Workers of this status",
        )
        .limited()
        .query(
            "page",
            ParamKind::Text,
            "Where to go on: next_page of the page before",
        )
    }

    fn limited(self) -> Self {
        self.query(
            "limit",
            ParamKind::Between(1, MAX_LIMIT),
            "How many, 1 to 1000; 100 when absent",
        )
    }
}
