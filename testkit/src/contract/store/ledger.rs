//! What the logs add up to that are written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use worker_runtime::store::{LogId, Record, StoredEvent};
use worker_runtime::{Store, WorkerState};

use super::Kept;
use super::sample::{events_of, records};

/// Knows what each log adds up to, as a Runtime does, whatever store it is written to.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    states: Mutex<HashMap<LogId, Arc<WorkerState>>>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What the log of a record adds up to with it.
    pub(super) fn after(&self, record: &Record) -> Result<Arc<WorkerState>, String> {
        let before = self.states().get(&record.log).cloned();
        add_up(before, &record.events)
    }

    /// Counts a record that is in the store.
    pub(super) fn add(&self, record: &Record) -> Kept {
        let after = self.after(record)?;
        self.states().insert(record.log.clone(), after);
        Ok(())
    }

    /// Commits a record, and counts it once it is taken.
    pub(super) async fn commit(&self, store: &dyn Store, record: Record) -> Kept {
        let after = self.after(&record)?;
        let log = record.log.clone();
        commit(store, record, Arc::clone(&after)).await?;
        self.states().insert(log, after);
        Ok(())
    }

    /// Puts a log with `runs` runs into a store, and gives its events.
    pub(super) async fn fill(
        &self,
        store: &dyn Store,
        log: &LogId,
        runs: u64,
    ) -> Result<Vec<StoredEvent>, String> {
        let records = records(log, runs);
        for record in records.clone() {
            self.commit(store, record).await?;
        }
        Ok(events_of(&records))
    }

    fn states(&self) -> MutexGuard<'_, HashMap<LogId, Arc<WorkerState>>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the events of a log add up to, from its first on.
pub(super) fn fold(events: &[StoredEvent]) -> Result<Arc<WorkerState>, String> {
    add_up(None, events)
}

fn add_up(
    before: Option<Arc<WorkerState>>,
    events: &[StoredEvent],
) -> Result<Arc<WorkerState>, String> {
    let not = |error| format!("what is written does not add up: {error}");
    let mut state = before;
    for event in events {
        match &mut state {
            Some(state) => Arc::make_mut(state).apply(event).map_err(not)?,
            None => state = Some(Arc::new(WorkerState::begin(event).map_err(not)?)),
        }
    }
    state.ok_or_else(|| "what is written does not add up: it has no event".to_owned())
}

/// Commits a record, after which its log adds up to this.
pub(super) async fn commit(store: &dyn Store, record: Record, after: Arc<WorkerState>) -> Kept {
    let seqs: Vec<u64> = record.events.iter().map(|event| event.seq).collect();
    let committed = store.commit(record, after).await;
    committed.map_err(|error| format!("a commit of events {seqs:?} failed: {error}"))
}
