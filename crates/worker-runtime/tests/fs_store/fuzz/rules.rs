//! What may be served of a store that was spoiled.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use worker_runtime::store::fs::FsStore;
use worker_runtime::store::{LogId, StoredEvent};
use worker_runtime::{Store, StoreError};

use crate::history::{ALL, Told, adds_up};

/// What may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Only what was told, or that it is damaged.
    WhatWasTold,
    /// Nobody can tell.
    Anything,
}

/// Every event that was ever told of a Worker, by its lives.
fn all(told: &Told) -> BTreeMap<LogId, BTreeMap<u64, StoredEvent>> {
    let mut all: BTreeMap<LogId, BTreeMap<u64, StoredEvent>> = BTreeMap::new();
    for record in &told.said {
        let events = all.entry(record.log.clone()).or_default();
        events.extend(record.events.iter().map(|event| (event.seq, event.clone())));
    }
    all
}

/// Holds a store that opened to the rule.
pub(super) async fn served(store: &FsStore, told: &Told, rule: Served) -> Result<(), String> {
    let said = all(told);
    let mut states = Vec::new();
    let mut take = |log, state| states.push((log, state));
    store.recover(&mut take).await.map_err(|e| e.to_string())?;
    for (log, state) in states {
        // A repair may have given it another life.
        let lives = said
            .iter()
            .filter(|(was, _)| was.worker_id == log.worker_id);
        let mut is_right = false;
        for (_, events) in lives {
            let written: Vec<_> = (1..=state.seq)
                .map_while(|seq| events.get(&seq).cloned())
                .collect();
            if written.len() as u64 != state.seq || *state != adds_up(&written) {
                continue;
            }
            is_right = true;
            if let Some(page) = read(store.events(&log, ALL).await)? {
                let kept = written
                    .get(page.first_seq as usize - 1..)
                    .unwrap_or_default();
                let found = page.events.iter().map(|event| &**event);
                is_right &= found.eq(kept);
            }
            if let Some(page) = read(store.entries(&log, ALL).await)? {
                let entries = written.iter().filter_map(StoredEvent::entry);
                let kept = entries.skip(
                    (page.first_sequence as usize)
                        .checked_sub(1)
                        .ok_or_else(|| format!("{log:?}: {page:?} {}", written.len()))?,
                );
                is_right &= page.entries.iter().eq(kept);
            }
            if is_right {
                break;
            }
        }
        if rule == Served::Anything {
            let _ = (
                read(store.events(&log, ALL).await)?,
                read(store.entries(&log, ALL).await)?,
            );
        } else if !is_right {
            return Err(format!("{log:?} is {state:?}"));
        }
    }
    for key in 0..=u8::MAX {
        let Some(Some(found)) = read(store.answer(&[key; 32]).await)? else {
            continue;
        };
        let mut keys = told.said.iter().flat_map(|record| &record.keys);
        if rule == Served::WhatWasTold && !keys.any(|one| *one == found) {
            return Err(format!("an answer that nobody gave: {found:?}"));
        }
    }
    Ok(())
}

/// Nothing where it is said to be damaged.
fn read<T>(read: Result<T, StoreError>) -> Result<Option<T>, String> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Damaged(_)) => Ok(None),
        Err(error) => Err(format!("a read of what is damaged says {error}")),
    }
}

/// Holds what was exported to the rule.
pub(super) fn exported(lines: &[u8], told: &Told, rule: Served) -> Result<(), String> {
    let said = all(told);
    let said: Vec<Value> = said
        .iter()
        .flat_map(|(log, events)| events.values().map(move |event| (log, event)))
        .map(|(log, event)| {
            json!({
                "worker_id": log.worker_id, "life": log.life, "seq": event.seq, "at": event.at,
                "event": event.event,
            })
        })
        .collect();
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if rule == Served::WhatWasTold && !said.contains(&line) {
            return Err(format!("exported, and never written: {line}"));
        }
    }
    Ok(())
}
