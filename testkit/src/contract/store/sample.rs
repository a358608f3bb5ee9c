//! Logs to put into a store, and what is found there.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::json;
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

/// Another time for each number of each log.
fn at(log: &LogId, number: u64) -> Timestamp {
    let name = log.worker_id.as_str().bytes().map(i64::from).sum::<i64>();
    let life = i64::from(log.life.as_u128() as u16);
    let number = i64::from(number as u16);
    Timestamp::from_unix_ms(1_700_000_000_000 + life * 1_000_000_000 + name * 100_000 + number)
}

/// Another run for each number of each log.
pub(super) fn run_id(log: &LogId, seq: u64) -> RunId {
    let LogId { worker_id, life } = log;
    let run_id = format!("run-{worker_id}-{}-{seq}", life.as_u128());
    RunId::parse(&run_id).expect("an id")
}

/// What says of itself where it belongs, so that it is known in any other place.
pub(super) fn named(log: &LogId, seq: u64, what: &str) -> String {
    let LogId { worker_id, life } = log;
    format!("{what} ({worker_id}, life {}, {seq})", life.as_u128())
}

pub(super) fn stored(log: &LogId, seq: u64, event: Event) -> StoredEvent {
    StoredEvent {
        seq,
        at: at(log, seq),
        event,
    }
}

/// What every log begins with.
pub(super) fn begin(log: &LogId) -> StoredEvent {
    let intent = json!({
        "kind": "task",
        "of": named(log, 1, "tükes\n\u{2028}"),
        "deep": {"list": [1, -2.5, null, true, {"": ""}], "most": u64::MAX},
    });
    let labels = [
        ("", ""),
        ("größe", "\"1\"\\"),
        ("\u{1F980}", "\u{0}\u{FEFF}"),
    ];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let worker = Worker {
        runtime_id: RuntimeId::parse("rt-1").expect("an id"),
        worker_id: log.worker_id.clone(),
        display_name: Some(named(log, 1, "Größe \u{1F980}")),
        display_ref: format!("{}@rt-1", log.worker_id),
        status: WorkerStatus::Idle,
        profile: "echo".to_owned(),
        intent: Some(serde_json::from_value(intent).expect("an intent")),
        labels: labels.into(),
        created_at: at(log, 1),
        updated_at: at(log, 1),
        transcript_length: 0,
        active_run: None,
        last_run: None,
    };
    let event = Event::Snapshot {
        worker: Box::new(worker),
        transcript: Vec::new(),
        first_sequence: 1,
    };
    stored(log, 1, event)
}

/// An entry of the event `seq`.
pub(super) fn entry(log: &LogId, seq: u64, sequence: u64, role: Role, content: String) -> Entry {
    Entry {
        sequence,
        role,
        content,
        run_id: run_id(log, seq),
        at: at(log, seq),
        redacted: false,
    }
}

/// The events of one run, from `seq` on, whose two entries begin at `sequence`: an input, the
/// start, what was said, the end, and that the Worker is idle. Five in all.
pub(super) fn run(log: &LogId, seq: u64, sequence: u64, said: &str) -> Vec<StoredEvent> {
    let run_id = run_id(log, seq);
    let [input, said] = [(seq, "say it"), (seq + 2, said)].map(|(at, what)| named(log, at, what));
    let mut said = entry(log, seq + 2, sequence + 1, Role::Assistant, said);
    said.run_id = run_id.clone();
    let events = [
        Event::InputAccepted {
            entry: entry(log, seq, sequence, Role::User, input),
        },
        Event::RunStarted {
            run_id: run_id.clone(),
        },
        Event::EntryAppended { entry: said },
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
        .map(|(seq, event)| stored(log, seq, event))
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

/// An answer to remember, another for each number, long, and written as only its own bytes are.
pub(super) fn key(number: u8) -> KeyRecord {
    let answer = format!("{{ \"number\" :{number}.0,\"said\": \"grüß \\u00e9 \u{1F980}");
    let answer = answer + &"ü\\n".repeat(3_000) + "\"}";
    KeyRecord {
        key: [number; 32],
        body: [number.wrapping_add(100); 32],
        answer: Arc::from(answer),
        at: at(&log(0), u64::from(number)),
    }
}

/// A record with these keys.
pub(super) fn keyed(record: Record, keys: &[u8]) -> Record {
    let keys = keys.iter().copied().map(key).collect();
    Record { keys, ..record }
}

/// The records of a log with `runs` runs: its begin, and one of five events for each run.
pub(super) fn records(log: &LogId, runs: u64) -> Vec<Record> {
    let begin = record(log, vec![begin(log)]);
    let of_run = |index: u64| {
        let said = format!("number {index}");
        record(log, run(log, 2 + 5 * index, 1 + 2 * index, &said))
    };
    std::iter::once(begin)
        .chain((0..runs).map(of_run))
        .collect()
}

/// The events of records, in order.
pub(super) fn events_of(records: &[Record]) -> Vec<StoredEvent> {
    records.iter().flat_map(|one| one.events.clone()).collect()
}

/// The entries that events add to the transcript.
pub(super) fn entries_of(events: &[StoredEvent]) -> Vec<Entry> {
    let entry = |event: &StoredEvent| match &event.event {
        Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(entry.clone()),
        _ => None,
    };
    events.iter().filter_map(entry).collect()
}

/// Those of all items that are numbered `first` and more; none where there are none.
pub(super) fn from<T>(all: &[T], first: u64) -> &[T] {
    let before = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
    all.get(before..).unwrap_or_default()
}

pub(super) async fn forget(store: &dyn Store, log: &LogId) -> Kept {
    let forgotten = store.forget(log).await;
    forgotten.map_err(|error| format!("a log could not be dropped: {error}"))
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
        let [found, expected] = [found, expected].map(|value| format!("{value:?}"));
        let is_same = found
            .chars()
            .zip(expected.chars())
            .take_while(|(a, b)| a == b);
        // What is the same needs no room, but for a little to know it by.
        let skip = is_same.count().saturating_sub(MOST / 2);
        let short = |text: String| -> String { text.chars().skip(skip).take(MOST).collect() };
        let cut = if skip > 0 { "…" } else { "" };
        let (found, expected) = (short(found), short(expected));
        Err(format!("{what}: {cut}{found}, not {cut}{expected}"))
    }
}
