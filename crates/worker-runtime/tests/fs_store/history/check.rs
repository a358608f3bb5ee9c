//! Whether a store is as it was told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use worker_runtime::store::fs::FsStore;
use worker_runtime::store::{LogId, Range, Record, StoredEvent};
use worker_runtime::{Store, StoreError, WorkerState};

use super::MOST_EVENTS;
use super::told::{Told, adds_up};

pub(crate) const ALL: Range = Range {
    after: 0,
    until: u64::MAX,
    max_items: usize::MAX,
    max_bytes: u64::MAX,
};

/// Holds a store to have what was acknowledged, nothing that was refused, and of what nobody can
/// tell all or nothing; which of the two is known from then on.
pub(crate) async fn is(store: &FsStore, told: &mut Told) -> Result<(), String> {
    let states = states(store).await?;
    if let Some(log) = told.forgetting.take()
        && !states.contains_key(&log)
    {
        told.is_forgotten(&log);
    }
    for record in std::mem::take(&mut told.open) {
        if is_begun(store, told, &states, &record).await? {
            told.is_there(&record);
        }
    }
    let names: Vec<_> = states.keys().collect();
    same("the logs", &names, &told.logs.keys().collect())?;
    for (log, written) in &told.logs {
        let of = |error| format!("{}: {error}", log.worker_id);
        same("its state", &*states[log], &adds_up(written)).map_err(of)?;
        reads(store, log, written, told.gives_up)
            .await
            .map_err(of)?;
    }
    for key in &told.asked {
        let found = store.answer(key).await.map_err(said)?;
        let expected = told.keys.get(key);
        let is_over = expected.is_some_and(|one| told.expired.is_some_and(|from| one.at < from));
        if !(is_over && found.is_none()) {
            let what = format!("the answer under {}", key[0]);
            same(&what, &found.as_ref(), &expected)?;
        }
    }
    Ok(())
}

impl Told {
    /// Holds a store that says that it is damaged to be right in everything else: what it can read
    /// is what was written.
    pub(crate) async fn is_right_but_for_damage(&self, store: &FsStore) -> Result<(), String> {
        let states = states(store).await?;
        let names: Vec<_> = states.keys().collect();
        same("the logs", &names, &self.logs.keys().collect())?;
        for (log, written) in &self.logs {
            same("its state", &*states[log], &adds_up(written))?;
            let is_damaged = store
                .events(log, ALL)
                .await
                .is_err_and(|error| is_damage(&error))
                || store
                    .entries(log, ALL)
                    .await
                    .is_err_and(|error| is_damage(&error));
            if !is_damaged {
                reads(store, log, written, self.gives_up).await?;
            }
        }
        for key in &self.asked {
            match store.answer(key).await {
                Ok(found) => same("an answer", &found.as_ref(), &self.keys.get(key))?,
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(said(error)),
            }
        }
        Ok(())
    }
}

fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged(_))
}

/// What each log adds up to.
async fn states(store: &FsStore) -> Result<BTreeMap<LogId, Arc<WorkerState>>, String> {
    let mut states = BTreeMap::new();
    let mut twice = false;
    let mut take = |log, state| twice |= states.insert(log, state).is_some();
    store.recover(&mut take).await.map_err(said)?;
    same("whether a log came twice", &twice, &false)?;
    Ok(states)
}

/// Whether anything of a record is there.
async fn is_begun(
    store: &FsStore,
    told: &Told,
    states: &BTreeMap<LogId, Arc<WorkerState>>,
    record: &Record,
) -> Result<bool, String> {
    let last = told.logs.get(&record.log).map_or(0, Vec::len) as u64;
    let mut is_begun = states
        .get(&record.log)
        .is_some_and(|state| !record.events.is_empty() && state.seq > last);
    for key in &record.keys {
        let found = store.answer(&key.key).await.map_err(said)?;
        is_begun |= found.as_ref() == Some(key);
    }
    Ok(is_begun)
}

/// A log reads as it was written, but for the oldest that is given up.
async fn reads(
    store: &FsStore,
    log: &LogId,
    written: &[StoredEvent],
    gives_up: bool,
) -> Result<(), String> {
    let page = store.events(log, ALL).await.map_err(said)?;
    let last = written.len() as u64;
    let sure = if gives_up { 0 } else { MOST_EVENTS };
    let least = last.saturating_sub(sure) + 1;
    if !(1..=least).contains(&page.first_seq) {
        let first = page.first_seq;
        return Err(format!("it begins at {first}, not at {least} or before"));
    }
    let (given_up, kept) = written.split_at(page.first_seq as usize - 1);
    let found: Vec<_> = page.events.iter().map(|event| &**event).collect();
    same("its events", &found, &kept.iter().collect())?;
    let page = store.entries(log, ALL).await.map_err(said)?;
    let entries = |events: &[StoredEvent]| -> Vec<_> {
        let entries = events.iter().filter_map(StoredEvent::entry);
        entries.cloned().collect()
    };
    let first = entries(given_up).len() as u64 + 1;
    same("its first entry", &page.first_sequence, &first)?;
    same("its entries", &page.entries, &entries(kept))
}

fn said(error: impl ToString) -> String {
    error.to_string()
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found:#?}\nnot {expected:#?}"))
}
