//! What a command does, as events: pure, so that a refusal changes nothing.

use yoi_protocol::{
    Entry, Event, Limits, Outcome, Role, RunError, RunId, Timestamp, Worker, WorkerStatus,
};

use crate::error::RuntimeError;
use crate::fold::WorkerState;

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<RunError>,
}

impl Ending {
    pub(crate) fn failed(code: &str, message: &str) -> Self {
        Self {
            outcome: Outcome::Failed,
            error: Some(RunError {
                code: code.to_owned(),
                message: message.to_owned(),
            }),
        }
    }

    /// Of a run that did not see the end of its Runtime.
    pub(crate) fn interrupted() -> Self {
        Self::failed("interrupted", "the runtime ended during the run")
    }
}

/// A new Worker.
pub(crate) fn create(worker: Worker) -> Event {
    Event::Snapshot {
        worker: Box::new(worker),
        transcript: Vec::new(),
        first_sequence: 1,
    }
}

/// An input to a Worker that is idle.
pub(crate) fn input(
    state: &WorkerState,
    content: String,
    run_id: &RunId,
    at: Timestamp,
) -> Result<Vec<Event>, RuntimeError> {
    if let Some(active) = &state.worker.active_run {
        return Err(RuntimeError::WorkerBusy {
            active_run_id: active.run_id.clone(),
        });
    }
    if state.worker.status == WorkerStatus::Stopped {
        return Err(RuntimeError::WorkerStopped);
    }
    let entry = entry(state, Role::User, content, run_id, at);
    Ok(vec![
        Event::InputAccepted { entry },
        Event::RunStarted {
            run_id: run_id.clone(),
        },
        Event::StatusChanged {
            status: WorkerStatus::Running,
        },
    ])
}

/// Whether an input may be taken at all.
pub(crate) fn check_input(content: &str, limits: &Limits) -> Result<(), RuntimeError> {
    if content.len() as u64 > limits.max_input_bytes {
        return Err(RuntimeError::PayloadTooLarge {
            limit_bytes: limits.max_input_bytes,
        });
    }
    Ok(())
}

/// The next entry of a transcript.
pub(crate) fn entry(
    state: &WorkerState,
    role: Role,
    content: String,
    run_id: &RunId,
    at: Timestamp,
) -> Entry {
    Entry {
        sequence: state.worker.transcript_length + 1,
        role,
        content,
        run_id: run_id.clone(),
        at,
        redacted: false,
    }
}

/// The end of the active run, after what it said since its last entry; with `stop`, of the Worker
/// too.
pub(crate) fn finish(
    state: &WorkerState,
    run_id: &RunId,
    text: String,
    ending: Ending,
    stop: Option<Option<String>>,
    at: Timestamp,
) -> Vec<Event> {
    let mut events = Vec::with_capacity(4);
    if !text.is_empty() {
        let entry = entry(state, Role::Assistant, text, run_id, at);
        events.push(Event::EntryAppended { entry });
    }
    events.push(Event::RunFinished {
        run_id: run_id.clone(),
        outcome: ending.outcome,
        error: ending.error,
    });
    match stop {
        Some(reason) => events.extend(self::stop(reason)),
        None => events.push(Event::StatusChanged {
            status: WorkerStatus::Idle,
        }),
    }
    events
}

/// The end of a Worker.
pub(crate) fn stop(reason: Option<String>) -> [Event; 2] {
    [
        Event::StatusChanged {
            status: WorkerStatus::Stopped,
        },
        Event::WorkerStopped { reason },
    ]
}
