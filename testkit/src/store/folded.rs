//! What records add up to.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use worker_runtime::store::{LogId, Record};
use worker_runtime::{StoreError, WorkerState};

/// What each log adds up to that has events.
pub(super) fn fold(records: &[Record]) -> Result<BTreeMap<LogId, WorkerState>, StoreError> {
    let mut states = BTreeMap::new();
    for Record { log, events, .. } in records {
        for event in events {
            let folded = match states.entry(log.clone()) {
                Entry::Vacant(place) => WorkerState::begin(event).map(|state| {
                    place.insert(state);
                }),
                Entry::Occupied(mut state) => state.get_mut().apply(event),
            };
            folded.map_err(|error| {
                let (worker, rule) = (&log.worker_id, error.rule());
                StoreError::Damaged(format!("the log of worker {worker}: {rule}"))
            })?;
        }
    }
    Ok(states)
}
