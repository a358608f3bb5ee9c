//! The store that forgets when the process ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use yoi_protocol::{Diagnostic, Timestamp};

use super::answers::Answers;
use super::{
    Condition, EntryPage, EventPage, KeyRecord, LogId, Range, Record, Store, StoreError,
    StoredEvent,
};
use crate::fold::WorkerState;
use crate::size::json_bytes;

/// Keeps the latest events of each log in memory, and the transcript as far as they reach.
#[derive(Debug)]
pub struct MemoryStore {
    max_events: usize,
    max_bytes: u64,
    logs: Mutex<HashMap<LogId, Log>>,
    answers: Mutex<Answers<KeyRecord>>,
}

#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Kept>,
    /// Those of `events` that carry an entry.
    entries: VecDeque<Kept>,
    /// Of all `events` together.
    bytes: u64,
    last_seq: u64,
    last_sequence: u64,
}

#[derive(Debug, Clone)]
struct Kept {
    event: Arc<StoredEvent>,
    bytes: u64,
}

impl MemoryStore {
    /// A store that keeps the latest events of each log: up to `max_events`, and up to `max_bytes`
    /// of them as JSON, but always the last one.
    #[must_use]
    pub fn new(max_events: u64, max_bytes: u64) -> Self {
        Self {
            max_events: usize::try_from(max_events).unwrap_or(usize::MAX),
            max_bytes,
            logs: Mutex::default(),
            answers: Mutex::default(),
        }
    }

    /// Adds a record: all that a commit does here, which waits for nothing and needs no state.
    pub fn add(&self, record: Record) {
        let mut logs = self.logs();
        // Both at once, so that nobody sees an answer before what it tells.
        let mut answers = self.answers();
        if !record.events.is_empty() {
            let log = logs.entry(record.log).or_default();
            for event in record.events {
                log.push(event);
            }
            log.trim(self.max_events, self.max_bytes);
        }
        for answer in record.keys {
            answers.insert(answer.key, answer.at, answer);
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers<KeyRecord>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<LogId, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn condition(&self) -> Condition {
        Condition::Sound
    }

    async fn recover(
        &self,
        _take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(&self, record: Record, _after: Arc<WorkerState>) -> Result<(), StoreError> {
        self.add(record);
        Ok(())
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        let logs = self.logs();
        let Some(log) = logs.get(log) else {
            return Ok(EventPage {
                first_seq: 1,
                events: Vec::new(),
            });
        };
        let first_seq = log.last_seq + 1 - log.events.len() as u64;
        let start = index(range.after.saturating_add(1), first_seq, log.events.len());
        let kept = log.events.range(start..);
        let events = page(kept, range, |kept| kept.event.seq)
            .map(|kept| Arc::clone(&kept.event))
            .collect();
        Ok(EventPage { first_seq, events })
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        let logs = self.logs();
        let Some(log) = logs.get(log) else {
            return Ok(EntryPage {
                first_sequence: 1,
                entries: Vec::new(),
            });
        };
        let first_sequence = log.last_sequence + 1 - log.entries.len() as u64;
        let start = index(
            range.after.saturating_add(1),
            first_sequence,
            log.entries.len(),
        );
        let kept = log.entries.range(start..);
        let entries = page(kept, range, |kept| {
            kept.event.entry().map_or(0, |entry| entry.sequence)
        })
        .filter_map(|kept| kept.event.entry().cloned())
        .collect();
        Ok(EntryPage {
            first_sequence,
            entries,
        })
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.answers().get(key).cloned())
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.answers().expire(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        self.logs().remove(log);
        Ok(())
    }
}

impl Log {
    fn push(&mut self, event: StoredEvent) {
        let kept = Kept {
            bytes: json_bytes(&event.event),
            event: Arc::new(event),
        };
        self.last_seq = kept.event.seq;
        self.bytes += kept.bytes;
        if let Some(entry) = kept.event.entry() {
            self.last_sequence = entry.sequence;
            self.entries.push_back(kept.clone());
        }
        self.events.push_back(kept);
    }

    /// Drops the oldest events that are too many or too large, but never the last.
    fn trim(&mut self, max_events: usize, max_bytes: u64) {
        while self.events.len() > 1 && (self.events.len() > max_events || self.bytes > max_bytes) {
            let Some(dropped) = self.events.pop_front() else {
                return;
            };
            self.bytes -= dropped.bytes;
            if dropped.event.entry().is_some() {
                self.entries.pop_front();
            }
        }
    }
}

/// Where the item numbered `wanted` is, when the first of `length` items is numbered `first`.
fn index(wanted: u64, first: u64, length: usize) -> usize {
    usize::try_from(wanted.saturating_sub(first)).map_or(length, |index| index.min(length))
}

/// The first items that the range allows; always one if there is one.
fn page<'a>(
    kept: impl Iterator<Item = &'a Kept>,
    range: Range,
    number: impl Fn(&Kept) -> u64,
) -> impl Iterator<Item = &'a Kept> {
    let mut bytes = 0u64;
    let mut count = 0usize;
    kept.take_while(move |kept| {
        bytes = bytes.saturating_add(kept.bytes);
        count += 1;
        let fits = count <= range.max_items && bytes <= range.max_bytes;
        number(kept) <= range.until && (fits || count == 1)
    })
}
