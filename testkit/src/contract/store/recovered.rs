//! What `recover` hands over, and what is there then.

use std::collections::HashMap;
use std::sync::Arc;

use worker_runtime::store::{LogId, StoredEvent};
use worker_runtime::{Store, WorkerState};

use super::Kept;
use super::ledger::fold;
use super::sample::{ALL, entries_of, read, read_entries, same};

/// What `recover` handed over: what each log adds up to.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    states: HashMap<LogId, Arc<WorkerState>>,
}

impl Recovered {
    /// How many logs there are.
    pub(super) fn logs(&self) -> usize {
        self.states.len()
    }

    /// Holds a log to add up to what these events do; without any, not to be there.
    pub(super) fn adds_up(&self, log: &LogId, events: &[StoredEvent]) -> Kept {
        let expected = match events {
            [] => None,
            _ => Some(fold(events)?),
        };
        let found = self.states.get(log).cloned();
        same("what a log adds up to that came back", &found, &expected)
    }

    /// Holds a log to have these events, and no other: to add up to what they do, and to be read
    /// so, with its transcript, from the first on.
    pub(super) async fn has(&self, store: &dyn Store, log: &LogId, events: &[StoredEvent]) -> Kept {
        let (first, found) = read(store, log, ALL).await?;
        same("first_seq of a log that came back", &first, &1)?;
        let what = "the events of a log that came back";
        same(what, &found.as_slice(), &events)?;
        let (first, found) = read_entries(store, log, ALL).await?;
        same("first_sequence of a log that came back", &first, &1)?;
        let what = "the entries of a log that came back";
        same(what, &found, &entries_of(events))?;
        self.adds_up(log, events)
    }
}

/// Asks a store for what it keeps.
pub(super) async fn recover(store: &dyn Store) -> Result<Recovered, String> {
    let mut recovered = Recovered::default();
    let mut twice = None;
    let mut take = |log: LogId, state| {
        if recovered.states.insert(log.clone(), state).is_some() {
            twice = Some(log);
        }
    };
    let read = store.recover(&mut take).await;
    read.map_err(|error| format!("recover failed: {error}"))?;
    match twice {
        Some(log) => Err(format!("a log was handed over twice: {log:?}")),
        None => Ok(recovered),
    }
}

/// A fresh store has nothing to hand over.
///
/// # Errors
/// What the store handed over.
pub async fn a_fresh_store_recovers_nothing(store: &dyn Store) -> Kept {
    let recovered = recover(store).await?;
    same(
        "what a fresh store hands over",
        &recovered.states,
        &HashMap::new(),
    )
}
