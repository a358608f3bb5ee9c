//! Starting up: what every log that is kept adds up to, made into Workers.

use std::sync::Arc;

use tokio::task::JoinSet;
use yoi_protocol::WorkerStatus;

use super::Inner;
use super::decide::{self, Ending};
use super::slot::Slot;
use crate::error::{RuntimeError, StartError};
use crate::fold::WorkerState;
use crate::store::{LogId, StoreError};

const NOT_RECORDED: &str = "that a run was interrupted could not be recorded: see to the disk (is it full?) and start again";

impl Inner {
    /// Fills a Runtime that has just been made, and ends the runs that did not see the end of
    /// the process before.
    pub(super) async fn recover(self: &Arc<Self>) -> Result<(), StartError> {
        let mut states = Vec::new();
        let mut take = |log, state| states.push((log, state));
        self.store.recover(&mut take).await?;
        // An earlier life that is not dropped yet is stopped, whatever its clock said.
        states.sort_by_key(|(_, state): &(LogId, Arc<WorkerState>)| {
            let is_stopped = state.worker.status == WorkerStatus::Stopped;
            (!is_stopped, state.worker.created_at)
        });
        // All at once, so that they share what it costs to record them.
        let mut interrupted = JoinSet::new();
        for (log, state) in states {
            if let Some(slot) = self.place(log, state)? {
                let inner = Arc::clone(self);
                interrupted.spawn(async move { inner.interrupt(&slot).await });
            }
        }
        while let Some(recorded) = interrupted.join_next().await {
            recorded.unwrap_or_else(|failed| {
                tracing::error!(error = %failed, "recording an interrupted run failed");
                Err(StoreError::Refused(NOT_RECORDED).into())
            })?;
        }
        Ok(())
    }

    /// Puts a Worker in its place; gives it back when its run did not see its end.
    fn place(
        self: &Arc<Self>,
        log: LogId,
        state: Arc<WorkerState>,
    ) -> Result<Option<Arc<Slot>>, StartError> {
        let status = state.worker.status;
        let at = state.worker.updated_at;
        let is_interrupted = state.worker.active_run.is_some();
        let place = (status != WorkerStatus::Stopped).then(|| self.places.force());
        let slot = Arc::new(Slot::new(log.clone(), state, place));
        self.counts.moved(None, Some(status));
        if status == WorkerStatus::Stopped {
            self.stopped(&slot, at);
        }
        let placed = Ok(is_interrupted.then(|| Arc::clone(&slot)));
        let earlier = self.catalog_mut().insert(log.worker_id.clone(), slot);
        match earlier.map(|slot| slot.live().state.worker.status) {
            None => placed,
            // An earlier life whose log could not be dropped; it is tried again in its time.
            Some(WorkerStatus::Stopped) => {
                self.counts.moved(Some(WorkerStatus::Stopped), None);
                placed
            }
            Some(WorkerStatus::Idle | WorkerStatus::Running) => Err(StartError::Damaged {
                worker_id: log.worker_id.to_string(),
                rule: "a worker has one life at a time",
            }),
        }
    }

    async fn interrupt(&self, slot: &Arc<Slot>) -> Result<(), StartError> {
        let _gate = slot.gate.lock().await;
        let at = self.clock.now();
        let (state, run_id) = {
            let live = slot.live();
            (Arc::clone(&live.state), live.active_run().cloned())
        };
        let Some(run_id) = run_id else { return Ok(()) };
        let ending = Ending::interrupted();
        let events = decide::finish(&state, &run_id, String::new(), ending, None, at);
        let committed = match self.draft(slot, at, events) {
            Ok(draft) => self.commit(slot, draft, Vec::new()).await,
            Err(fault) => Err(fault),
        };
        committed.map_err(|error| match error {
            RuntimeError::StoreFailed { .. } => StoreError::Refused(NOT_RECORDED).into(),
            _ => StartError::Damaged {
                worker_id: slot.log.worker_id.to_string(),
                rule: "an active run can be finished",
            },
        })
    }
}
