//! Records as JSON: what a person finds in a segment.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yoi_protocol::{Event, Timestamp, WorkerId};

use super::line::is_number;
use crate::store::{KeyRecord, LogId, Record, StoredEvent};

/// A log by its two names.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    worker: WorkerId,
    life: Uuid,
}

#[derive(Serialize)]
struct Written<'a> {
    worker: &'a WorkerId,
    life: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    /// The time of each event, where they are not all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<Vec<Timestamp>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<&'a Event>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Read {
    worker: WorkerId,
    life: Uuid,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    times: Option<Vec<Timestamp>>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    keys: Vec<Key>,
}

/// An answer to remember, whose hashes are base64.
#[derive(Serialize, Deserialize)]
struct Key {
    key: String,
    body: String,
    answer: Arc<str>,
    at: Timestamp,
}

/// A record as the JSON of its line.
pub(super) fn encode(record: &Record) -> Option<Vec<u8>> {
    let first = record.events.first();
    let is_same = |event: &StoredEvent| first.is_some_and(|first| first.at == event.at);
    let times = (!record.events.iter().all(is_same))
        .then(|| record.events.iter().map(|event| event.at).collect());
    let written = Written {
        worker: &record.log.worker_id,
        life: record.log.life,
        seq: first.map(|first| first.seq),
        at: first.map(|first| first.at),
        times,
        events: record.events.iter().map(|event| &event.event).collect(),
        keys: record.keys.iter().map(Key::of).collect(),
    };
    serde_json::to_vec(&written).ok()
}

/// The record that a line is, or why it is none.
pub(super) fn decode(json: &[u8]) -> Option<Record> {
    let read: Read = serde_json::from_slice(json).ok()?;
    let log = LogId {
        worker_id: read.worker,
        life: read.life,
    };
    let times = match read.times {
        Some(times) if times.len() == read.events.len() => times,
        None => match read.at {
            Some(at) => vec![at; read.events.len()],
            None if read.events.is_empty() => Vec::new(),
            None => return None,
        },
        Some(_) => return None,
    };
    let first = read.seq.unwrap_or(1);
    if !is_number(first) || !read.events.iter().all(counts_right) {
        return None;
    }
    let events = (first..)
        .zip(times)
        .zip(read.events)
        .map(|((seq, at), event)| StoredEvent { seq, at, event })
        .collect();
    let keys = read
        .keys
        .into_iter()
        .map(Key::record)
        .collect::<Option<_>>()?;
    Some(Record { log, events, keys })
}

/// Whether the numbers that a fold goes on from are some that anything can have.
fn counts_right(event: &Event) -> bool {
    match event {
        Event::Snapshot {
            worker,
            first_sequence,
            ..
        } => is_number(worker.transcript_length) && is_number(*first_sequence),
        _ => true,
    }
}

/// The drop of a log as the JSON of its line.
pub(super) fn encode_dropped(log: &LogId) -> Option<Vec<u8>> {
    let named = Named {
        worker: log.worker_id.clone(),
        life: log.life,
    };
    serde_json::to_vec(&named).ok()
}

/// The log that a line drops.
pub(super) fn decode_dropped(json: &[u8]) -> Option<LogId> {
    let named: Named = serde_json::from_slice(json).ok()?;
    Some(LogId {
        worker_id: named.worker,
        life: named.life,
    })
}

impl Key {
    fn of(record: &KeyRecord) -> Self {
        Self {
            key: URL_SAFE_NO_PAD.encode(record.key),
            body: URL_SAFE_NO_PAD.encode(record.body),
            answer: Arc::clone(&record.answer),
            at: record.at,
        }
    }

    fn record(self) -> Option<KeyRecord> {
        let hash = |text: &str| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok();
        Some(KeyRecord {
            key: hash(&self.key)?,
            body: hash(&self.body)?,
            answer: self.answer,
            at: self.at,
        })
    }
}
