//! Logs to put into a store, and what is found there.

use std::fmt::Debug;
use std::sync::Arc;

use uuid::Uuid;
use worker_runtime::Store;
use worker_runtime::store::{KeyRecord, LogId, Range, Record, StoredEvent};
use yoi_protocol::{
    Entry, Event, Outcome, Role, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus,
};

use super::Kept;

/// The most of a value that a message shows, in characters.
const MOST: usize = 300;

/// Everything from the start.
pub(super) const ALL: Range = Range {
    after: 0,
    until: u64::MAX,
    max_items: usize::MAX,
    max_bytes: u64::MAX,
};

/// A log of its own for each number.
pub(super) fn log(number: u128) -> LogId {
    LogId {
        worker_id: WorkerId::parse("w-1").expect("an id"),
        life: Uuid::from_u128(number + 1),
    }
}

/// Another life-long name, too.
pub(super) fn log_of(worker_id: &str, number: u128) -> LogId {
    LogId {
        worker_id: WorkerId::parse(worker_id).expect("an id"),
        ..log(number)
    }
}

fn at(seq: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + i64::try_from(seq).unwrap_or(i64::MAX))
}

fn run_id() -> RunId {
    RunId::parse("run-1").expect("an id")
}

fn stored(seq: u64, event: Event) -> StoredEvent {
    StoredEvent {
        seq,
        at: at(seq),
        event,
    }
}

/// What every log begins with.
fn begin(log: &LogId) -> StoredEvent {
    let worker = Worker {
        runtime_id: RuntimeId::parse("rt-1").expect("an id"),
        worker_id: log.worker_id.clone(),
        display_name: None,
        display_ref: "w-1@rt-1".to_owned(),
        status: WorkerStatus::Idle,
        profile: "echo".to_owned(),
        intent: None,
        labels: Default::default(),
        created_at: at(1),
        updated_at: at(1),
        transcript_length: 0,
        active_run: None,
        last_run: None,
    };
    let event = Event::Snapshot {
        worker: Box::new(worker),
        transcript: Vec::new(),
        first_sequence: 1,
    };
    stored(1, event)
}

pub(super) fn entry(sequence: u64, role: Role, content: &str) -> Entry {
    Entry {
        sequence,
        role,
        content: content.to_owned(),
        run_id: run_id(),
        at: at(sequence),
        redacted: false,
    }
}

/// The events of one run, from `seq` on, whose two entries begin at `sequence`: an input, the
/// start, what was said, the end, and that the Worker is idle. Five in all.
pub(super) fn run(seq: u64, sequence: u64, said: &str) -> Vec<StoredEvent> {
    let run_id = run_id();
    let events = [
        Event::InputAccepted {
            entry: entry(sequence, Role::User, "say it"),
        },
        Event::RunStarted {
            run_id: run_id.clone(),
        },
        Event::EntryAppended {
            entry: entry(sequence + 1, Role::Assistant, said),
        },
        Event::RunFinished {
            run_id,
            outcome: Outcome::Completed,
            error: None,
        },
        Event::StatusChanged {
            status: WorkerStatus::Idle,
        },
    ];
    (seq..)
        .zip(events)
        .map(|(seq, event)| stored(seq, event))
        .collect()
}

/// A record without keys.
pub(super) fn record(log: &LogId, events: Vec<StoredEvent>) -> Record {
    Record {
        log: log.clone(),
        events,
        keys: Vec::new(),
    }
}

pub(super) fn key(number: u8) -> KeyRecord {
    KeyRecord {
        key: [number; 32],
        body: [number.wrapping_add(1); 32],
        answer: Arc::from(r#"{"answer":1}"#),
        at: at(u64::from(number)),
    }
}

/// The records of a log with `runs` runs: its begin, and one of five events for each run.
pub(super) fn records(log: &LogId, runs: u64) -> Vec<Record> {
    let begin = record(log, vec![begin(log)]);
    let of_run = |index: u64| {
        let said = format!("number {index}");
        record(log, run(2 + 5 * index, 1 + 2 * index, &said))
    };
    std::iter::once(begin)
        .chain((0..runs).map(of_run))
        .collect()
}

/// The events of records, in order.
pub(super) fn events_of(records: &[Record]) -> Vec<StoredEvent> {
    records.iter().flat_map(|one| one.events.clone()).collect()
}

/// Puts a log with `runs` runs into a store, and gives its events.
pub(super) async fn fill(
    store: &dyn Store,
    log: &LogId,
    runs: u64,
) -> Result<Vec<StoredEvent>, String> {
    let records = records(log, runs);
    for record in records.clone() {
        commit(store, record).await?;
    }
    Ok(events_of(&records))
}

pub(super) async fn commit(store: &dyn Store, record: Record) -> Kept {
    let seqs: Vec<u64> = record.events.iter().map(|event| event.seq).collect();
    let committed = store.commit(record).await;
    committed.map_err(|error| format!("a commit of events {seqs:?} failed: {error}"))
}

/// Events of a log, and the first that is kept.
pub(super) async fn read(
    store: &dyn Store,
    log: &LogId,
    range: Range,
) -> Result<(u64, Vec<StoredEvent>), String> {
    let page = store.events(log, range).await;
    let page = page.map_err(|error| format!("reading events failed: {error}"))?;
    let events = page.events.iter().map(|event| (**event).clone());
    Ok((page.first_seq, events.collect()))
}

/// Entries of a log, and the first that is kept.
pub(super) async fn read_entries(
    store: &dyn Store,
    log: &LogId,
    range: Range,
) -> Result<(u64, Vec<Entry>), String> {
    let page = store.entries(log, range).await;
    let page = page.map_err(|error| format!("reading entries failed: {error}"))?;
    Ok((page.first_sequence, page.entries))
}

pub(super) fn seqs(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

pub(super) fn sequences(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.sequence).collect()
}

/// Holds two values to be the same.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Kept {
    if found == expected {
        Ok(())
    } else {
        let short = |value: &T| -> String { format!("{value:?}").chars().take(MOST).collect() };
        let (found, expected) = (short(found), short(expected));
        Err(format!("{what}: {found}, not {expected}"))
    }
}
