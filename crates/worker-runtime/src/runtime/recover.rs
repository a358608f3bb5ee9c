//! Starting up: the fold over what the store holds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use yoi_protocol::WorkerStatus;

use super::Inner;
use super::decide::{self, Ending};
use super::slot::Slot;
use super::state::{FoldError, WorkerState};
use crate::error::{RuntimeError, StartError};
use crate::idempotency::KEEP_MS;
use crate::store::{KeyRecord, LogId, Record, StoreError, StoredEvent};

/// What the records add up to.
#[derive(Default)]
struct Recovered {
    states: HashMap<LogId, WorkerState>,
    keys: Vec<KeyRecord>,
    fault: Option<(LogId, FoldError)>,
}

impl Recovered {
    fn take(&mut self, record: Record) {
        self.keys.extend(record.keys);
        for event in &record.events {
            if self.fault.is_some() {
                return;
            }
            if let Err(fault) = self.apply(&record.log, event) {
                self.fault = Some((record.log.clone(), fault));
            }
        }
    }

    fn apply(&mut self, log: &LogId, event: &StoredEvent) -> Result<(), FoldError> {
        match self.states.entry(log.clone()) {
            Entry::Occupied(mut state) => state.get_mut().apply(event),
            Entry::Vacant(place) => {
                place.insert(WorkerState::begin(event)?);
                Ok(())
            }
        }
    }
}

impl Inner {
    /// Fills a Runtime that has just been made, and ends the runs that did not see the end of
    /// the process before.
    pub(super) async fn recover(self: &Arc<Self>) -> Result<(), StartError> {
        let mut recovered = Recovered::default();
        let mut take = |record| recovered.take(record);
        self.store.recover(&mut take).await?;
        if let Some((log, FoldError(rule))) = recovered.fault {
            let worker_id = log.worker_id.to_string();
            return Err(StartError::Damaged { worker_id, rule });
        }
        let now = self.clock.now();
        recovered.keys.retain(|key| now.ms_since(key.at) < KEEP_MS);
        recovered.keys.sort_by_key(|key| key.at);
        for key in recovered.keys {
            self.keys.restore(key);
        }
        let mut states: Vec<_> = recovered.states.into_iter().collect();
        states.sort_by_key(|(_, state)| state.worker.created_at);
        for (log, state) in states {
            self.place(log, state).await?;
        }
        Ok(())
    }

    async fn place(self: &Arc<Self>, log: LogId, state: WorkerState) -> Result<(), StartError> {
        let status = state.worker.status;
        let at = state.worker.updated_at;
        let is_interrupted = state.worker.active_run.is_some();
        let place = (status != WorkerStatus::Stopped).then(|| self.places.force());
        let slot = Arc::new(Slot::new(log.clone(), state, place));
        self.counts.moved(None, Some(status));
        if status == WorkerStatus::Stopped {
            self.stopped(&slot, at);
        }
        if is_interrupted {
            self.interrupt(&slot).await?;
        }
        let earlier = self.catalog_mut().insert(log.worker_id.clone(), slot);
        match earlier.map(|slot| slot.live().state.worker.status) {
            None => Ok(()),
            // An earlier life whose log could not be dropped; it is tried again in its time.
            Some(WorkerStatus::Stopped) => {
                self.counts.moved(Some(WorkerStatus::Stopped), None);
                Ok(())
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
            (live.state.clone(), live.active_run().cloned())
        };
        let Some(run_id) = run_id else { return Ok(()) };
        let ending = Ending::interrupted();
        let events = decide::finish(&state, &run_id, String::new(), ending, None, at);
        let committed = match self.draft(slot, at, events) {
            Ok(draft) => self.commit(slot, draft, Vec::new()).await,
            Err(fault) => Err(fault),
        };
        committed.map_err(|error| match error {
            RuntimeError::StoreFailed { .. } => {
                StoreError::Refused("an interrupted run was not recorded").into()
            }
            _ => StartError::Damaged {
                worker_id: slot.log.worker_id.to_string(),
                rule: "an active run can be finished",
            },
        })
    }
}
