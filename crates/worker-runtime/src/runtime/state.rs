//! The fold: a Worker is what its durable events add up to.

use yoi_protocol::{ActiveRun, Entry, Event, LastRun, Worker, WorkerStatus};

use crate::store::StoredEvent;

/// A Worker, and how far its log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkerState {
    pub(crate) worker: Worker,
    /// The last `seq`.
    pub(crate) seq: u64,
    /// Whether it is stopped and said so: nothing can follow.
    pub(crate) is_over: bool,
}

/// What does not hold in a log. Such events are never committed, and a log that has them is not
/// started from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FoldError(pub(crate) &'static str);

impl WorkerState {
    /// What the first event of a log begins.
    pub(crate) fn begin(first: &StoredEvent) -> Result<Self, FoldError> {
        match &first.event {
            Event::Snapshot { worker, .. } if first.seq > 0 => Ok(Self {
                worker: (**worker).clone(),
                seq: first.seq,
                is_over: worker.status == WorkerStatus::Stopped,
            }),
            _ => Err(FoldError("a log begins with a snapshot")),
        }
    }

    /// Adds the next event.
    pub(crate) fn apply(&mut self, next: &StoredEvent) -> Result<(), FoldError> {
        if next.seq != self.seq + 1 {
            return Err(FoldError("events are numbered without holes"));
        }
        self.check_end(&next.event)?;
        let worker = &mut self.worker;
        match &next.event {
            Event::Snapshot { .. } => return Err(FoldError("only the first event is a snapshot")),
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => {
                append(worker, entry)?;
            }
            Event::RunStarted { run_id } => {
                if worker.active_run.is_some() {
                    return Err(FoldError("at most one run is active"));
                }
                worker.active_run = Some(ActiveRun {
                    run_id: run_id.clone(),
                    started_at: next.at,
                });
            }
            Event::RunFinished {
                run_id,
                outcome,
                error,
            } => {
                let active = worker.active_run.take();
                if active.is_none_or(|active| active.run_id != *run_id) {
                    return Err(FoldError("only the active run finishes"));
                }
                worker.last_run = Some(LastRun {
                    run_id: run_id.clone(),
                    outcome: *outcome,
                    error: error.clone(),
                    finished_at: next.at,
                });
            }
            Event::StatusChanged { status } => worker.status = *status,
            Event::WorkerStopped { .. } => {
                worker.status = WorkerStatus::Stopped;
                self.is_over = true;
            }
            Event::ToolCallStarted { .. }
            | Event::ToolCallFinished { .. }
            | Event::ToolResult { .. }
            | Event::Usage { .. }
            | Event::Diagnostic { .. }
            | Event::Unknown(_) => {}
        }
        worker.updated_at = next.at;
        self.seq = next.seq;
        Ok(())
    }

    /// A Worker that is stopped has no run, and takes nothing but the `worker_stopped` that
    /// belongs to its change of status.
    fn check_end(&self, next: &Event) -> Result<(), FoldError> {
        let stops = matches!(next, Event::WorkerStopped { .. });
        if self.is_over || (self.worker.status == WorkerStatus::Stopped && !stops) {
            return Err(FoldError("nothing follows the end of a worker"));
        }
        let ends = stops
            || matches!(
                next,
                Event::StatusChanged {
                    status: WorkerStatus::Stopped
                }
            );
        if ends && self.worker.active_run.is_some() {
            return Err(FoldError("a run ends before its worker"));
        }
        Ok(())
    }
}

fn append(worker: &mut Worker, entry: &Entry) -> Result<(), FoldError> {
    if entry.sequence != worker.transcript_length + 1 {
        return Err(FoldError("entries are numbered without holes"));
    }
    worker.transcript_length = entry.sequence;
    Ok(())
}

#[cfg(test)]
mod tests;
