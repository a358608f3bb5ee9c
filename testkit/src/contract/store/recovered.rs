//! What `recover` hands over.

use std::collections::HashMap;

use worker_runtime::Store;
use worker_runtime::store::{KeyRecord, LogId, Record, StoredEvent};

use super::Kept;
use super::sample::same;

/// What `recover` handed over.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// As they came.
    pub(super) records: Vec<Record>,
    /// The events of each log that has any.
    pub(super) events: HashMap<LogId, Vec<StoredEvent>>,
}

impl Recovered {
    /// All the keys, by key.
    pub(super) fn keys(&self) -> Vec<KeyRecord> {
        let keys = self.records.iter().flat_map(|record| &record.keys);
        let mut keys: Vec<KeyRecord> = keys.cloned().collect();
        keys.sort_by_key(|key| key.key);
        keys
    }

    /// The events of one log.
    pub(super) fn of(&self, log: &LogId) -> Vec<StoredEvent> {
        self.events.get(log).cloned().unwrap_or_default()
    }
}

/// Asks a store for what it keeps.
pub(super) async fn recover(store: &dyn Store) -> Result<Recovered, String> {
    let mut recovered = Recovered::default();
    let mut take = |record: Record| recovered.records.push(record);
    let read = store.recover(&mut take).await;
    read.map_err(|error| format!("recover failed: {error}"))?;
    for record in &recovered.records {
        // A record of keys alone makes no log.
        if !record.events.is_empty() {
            let events = recovered.events.entry(record.log.clone()).or_default();
            events.extend(record.events.iter().cloned());
        }
    }
    Ok(recovered)
}

/// A fresh store has nothing to hand over.
///
/// # Errors
/// What the store handed over.
pub async fn a_fresh_store_recovers_nothing(store: &dyn Store) -> Kept {
    let recovered = recover(store).await?;
    same(
        "the records of a fresh store",
        &recovered.records,
        &Vec::new(),
    )
}
