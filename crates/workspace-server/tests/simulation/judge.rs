//! Holds what the clients saw against what the Runtimes keep.

use std::collections::BTreeMap;

use worker_runtime::WorkerState;
use worker_runtime::store::Record;
use yoi_protocol::{Entry, Event, Role, WorkerId};

use super::ledger::{Ledger, Seen, Told};
use super::net::Secrets;

/// Everything that a Runtime keeps of one Worker.
#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// What they add up to.
    state: Option<WorkerState>,
}

type Logs = BTreeMap<WorkerId, Log>;

/// Nothing acknowledged is lost or there twice; nobody missed anything, saw it in another order,
/// or saw what never was; what is said of a Worker is what its log adds up to; nobody heard a
/// secret.
pub(crate) fn judge(ledger: &Ledger, records: Vec<Record>, secrets: &Secrets) {
    let logs = logs(records);
    let told = ledger.all_told();
    for input in &told {
        is_kept_once(input, &logs[&input.accepted.worker_id]);
    }
    let kept = logs.values().flat_map(|log| entries(&log.events));
    let kept = kept.filter(|entry| entry.role == Role::User).count();
    assert_eq!(kept, told.len(), "what nobody said");
    for seen in ledger.all_seen() {
        is_all(&seen, &logs[seen.worker.as_ref().unwrap()].events);
    }
    for worker in ledger.all_found() {
        let state = logs[&worker.worker_id].state.as_ref();
        assert_eq!(worker, state.unwrap().worker, "not what its log adds up to");
    }
    let heard = secrets.heard.lock().unwrap();
    assert!(heard.is_empty(), "clients heard {heard:?}");
}

fn logs(records: Vec<Record>) -> Logs {
    let mut logs = Logs::new();
    for record in records {
        let log = logs.entry(record.log.worker_id).or_default();
        for stored in record.events {
            assert_eq!(stored.seq, log.events.len() as u64 + 1);
            match &mut log.state {
                Some(state) => state.apply(&stored).unwrap(),
                none => *none = Some(WorkerState::begin(&stored).unwrap()),
            }
            log.events.push(stored.event);
        }
    }
    logs
}

/// Whether an input that was acknowledged is there, once, as it was acknowledged.
fn is_kept_once(input: &Told, log: &Log) {
    let entries = entries(&log.events);
    let is_it = |entry: &&Entry| entry.role == Role::User && entry.content == input.content;
    let mut same = entries.iter().filter(is_it);
    let entry = same.next().unwrap_or_else(|| panic!("{input:?} is lost"));
    assert!(same.next().is_none(), "{input:?} is there twice");
    assert_eq!(entry.sequence, input.accepted.sequence);
    assert_eq!(entry.run_id, input.accepted.run_id);
}

/// Whether what a watcher saw is what the log has.
fn is_all(seen: &Seen, log: &[Event]) {
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
