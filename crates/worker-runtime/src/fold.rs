//! The fold: a Worker is what its durable events add up to.

use yoi_protocol::{ActiveRun, Entry, Event, LastRun, Worker, WorkerStatus};

use crate::store::StoredEvent;

/// A Worker, and how far its log goes: what the events so far add up to.
///
/// Pure: the same events always add up to the same, whoever folds them. A store that kept a state
/// need not read the events before it again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerState {
    /// The Worker.
    pub worker: Worker,
    /// The last `seq`.
    pub seq: u64,
    /// Whether it is stopped and said so: nothing can follow.
    pub is_over: bool,
}

/// What does not hold in a log. Such events are never committed, and a log that has them is not
/// started from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct FoldError {
    rule: &'static str,
}

impl FoldError {
    const fn of(rule: &'static str) -> Self {
        Self { rule }
    }

    /// The rule that is broken, as a sentence about logs.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl WorkerState {
    /// What the first event of a log begins.
    ///
    /// # Errors
    /// It is no snapshot, or has no number.
    pub fn begin(first: &StoredEvent) -> Result<Self, FoldError> {
        match &first.event {
            Event::Snapshot { worker, .. } if first.seq > 0 => {
                Ok(Self::resume((**worker).clone(), first.seq))
            }
            _ => Err(FoldError::of("a log begins with a snapshot")),
        }
    }

    /// What was kept of a log up to `seq`, to go on from: as if its first event was a snapshot of
    /// this Worker.
    ///
    /// The same state again as long as it was kept between two records: in the middle of one a
    /// Worker may be stopped and not have said so.
    #[must_use]
    pub fn resume(worker: Worker, seq: u64) -> Self {
        let is_over = worker.status == WorkerStatus::Stopped;
        Self {
            worker,
            seq,
            is_over,
        }
    }

    /// Adds the next event.
    ///
    /// # Errors
    /// It does not follow what was before it. Nothing is changed.
    pub fn apply(&mut self, next: &StoredEvent) -> Result<(), FoldError> {
        if Some(next.seq) != self.seq.checked_add(1) {
            return Err(FoldError::of("events are numbered without holes"));
        }
        self.check_end(&next.event)?;
        let worker = &mut self.worker;
        match &next.event {
            Event::Snapshot { .. } => {
                return Err(FoldError::of("only the first event is a snapshot"));
            }
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => {
                append(worker, entry)?;
            }
            Event::RunStarted { run_id } => {
                if worker.active_run.is_some() {
                    return Err(FoldError::of("at most one run is active"));
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
                let active = worker.active_run.as_ref();
                if active.is_none_or(|active| active.run_id != *run_id) {
                    return Err(FoldError::of("only the active run finishes"));
                }
                worker.active_run = None;
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
            return Err(FoldError::of("nothing follows the end of a worker"));
        }
        let ends = stops
            || matches!(
                next,
                Event::StatusChanged {
                    status: WorkerStatus::Stopped
                }
            );
        if ends && self.worker.active_run.is_some() {
            return Err(FoldError::of("a run ends before its worker"));
        }
        Ok(())
    }
}

fn append(worker: &mut Worker, entry: &Entry) -> Result<(), FoldError> {
    if Some(entry.sequence) != worker.transcript_length.checked_add(1) {
        return Err(FoldError::of("entries are numbered without holes"));
    }
    worker.transcript_length = entry.sequence;
    Ok(())
}

#[cfg(test)]
mod tests;
