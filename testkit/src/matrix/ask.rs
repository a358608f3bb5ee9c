//! What is asked for, and of which Worker.

use http::header::CONTENT_TYPE;
use serde_json::json;
use yoi_protocol::{Api, Operation, RuntimeId, WorkerId, header};

use super::Pace;
use crate::browser::{Ask, Browser};

/// The Worker of an operation: each has its own, so that all can be asked for at the same time.
pub(super) fn worker_of(operation: Operation) -> WorkerId {
    let name = match operation {
        Operation::ListWorkers => "w-list",
        Operation::GetWorker => "w-get",
        Operation::CreateWorker => "w-create",
        Operation::SendInput => "w-input",
        Operation::Cancel => "w-cancel",
        Operation::Stop => "w-stop",
        Operation::Transcript => "w-transcript",
        Operation::Events => "w-events",
    };
    WorkerId::parse(name).expect("a name of ours is an id")
}

/// The path of an operation at a Backend.
pub(super) fn path(runtime: &RuntimeId, operation: Operation) -> String {
    let (api, worker) = (Api::Backend(runtime.clone()), worker_of(operation));
    match operation {
        Operation::ListWorkers | Operation::CreateWorker => api.workers(),
        Operation::GetWorker => api.worker(&worker),
        Operation::SendInput => api.input(&worker),
        Operation::Cancel => api.cancel(&worker),
        Operation::Stop => api.stop(&worker),
        Operation::Transcript => api.transcript(&worker),
        Operation::Events => api.events_ws(&worker),
    }
}

/// The request for an operation, as a page would send it: without a key.
pub(super) fn request(
    browser: &Browser,
    runtime: &RuntimeId,
    operation: Operation,
    pace: &Pace,
) -> Ask {
    let method = match operation.is_command() {
        true => "POST",
        false => "GET",
    };
    let ask = browser
        .ask(method, &path(runtime, operation))
        .header(header::DEADLINE_MS, &pace.patience.as_millis().to_string());
    match operation {
        Operation::CreateWorker => ask.json(&json!({"worker_id": worker_of(operation)})),
        Operation::SendInput => ask.json(&json!({"content": "hi"})),
        Operation::Cancel | Operation::Stop => {
            ask.header(CONTENT_TYPE.as_str(), "application/json")
        }
        Operation::ListWorkers
        | Operation::GetWorker
        | Operation::Transcript
        | Operation::Events => ask,
    }
}
