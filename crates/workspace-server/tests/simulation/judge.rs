//! Holds what the clients saw against what the Runtimes keep.

use std::collections::BTreeMap;

use worker_runtime::store::Record;
use yoi_protocol::{Entry, Event, Role, WorkerId};

use super::ledger::{Ledger, Seen};
use super::net::Secrets;

/// Everything that a Runtime keeps of one Worker.
type Log = Vec<Event>;

/// Nothing acknowledged is lost or there twice; nobody missed anything, saw it in another order,
/// or saw what never was; nobody heard a secret.
pub(crate) fn judge(ledger: &Ledger, records: Vec<Record>, secrets: &Secrets) {
    let mut logs: BTreeMap<WorkerId, Log> = BTreeMap::new();
    for record in records {
        let log = logs.entry(record.log.worker_id).or_default();
        for stored in record.events {
            assert_eq!(stored.seq, log.len() as u64 + 1);
            log.push(stored.event);
        }
    }
    let told = ledger.all_told();
    for input in &told {
        let log = &logs[&input.accepted.worker_id];
        let entries = entries(log);
        let mut same = entries
            .iter()
            .filter(|entry| entry.role == Role::User && entry.content == input.content);
        let entry = same.next().unwrap_or_else(|| panic!("{input:?} is lost"));
        assert!(same.next().is_none(), "{input:?} is there twice");
        assert_eq!(entry.sequence, input.accepted.sequence);
        assert_eq!(entry.run_id, input.accepted.run_id);
    }
    let inputs = |log: &Log| entries(log).iter().filter(|e| e.role == Role::User).count();
    let kept: usize = logs.values().map(inputs).sum();
    assert_eq!(kept, told.len(), "what nobody said");
    for seen in ledger.all_seen() {
        hold(&seen, &logs[seen.worker.as_ref().unwrap()]);
    }
    let heard = secrets.heard.lock().unwrap();
    assert!(heard.is_empty(), "clients heard {heard:?}");
}

/// Holds what a watcher saw against the log.
fn hold(seen: &Seen, log: &Log) {
    let (seq, first) = seen.first.as_ref().expect("who is done has seen something");
    let past = usize::try_from(*seq).unwrap();
    let Event::Snapshot { transcript, .. } = first else {
        panic!("{first:?}")
    };
    assert_eq!(*transcript, entries(&log[..past]));
    assert_eq!(seen.events, log[past..]);
}

fn entries(log: &[Event]) -> Vec<Entry> {
    log.iter()
        .filter_map(|event| match event {
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(entry.clone()),
            _ => None,
        })
        .collect()
}
