//! Where the log of every Worker is kept.

mod answers;
#[cfg(feature = "fs-store")]
pub mod fs;
mod memory;

use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;
use yoi_protocol::{Diagnostic, Effect, Entry, Event, Timestamp, WorkerId};

pub use memory::MemoryStore;

use crate::fold::WorkerState;

/// One log: a Worker, and which life of it. An id that is created anew begins another life, with
/// another log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId {
    /// The Worker.
    pub worker_id: WorkerId,
    /// Its life.
    pub life: Uuid,
}

/// One durable event at its place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number, dense from 1 per log.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl StoredEvent {
    /// The entry that it adds to the transcript.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        match &self.event {
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(entry),
            _ => None,
        }
    }

    /// The same, without the event.
    #[must_use]
    pub fn into_entry(self) -> Option<Entry> {
        match self.event {
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(entry),
            _ => None,
        }
    }
}

/// The answer to a command that carried an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// SHA-256 over operation, Worker and key. The key itself is never stored.
    pub key: [u8; 32],
    /// SHA-256 over the body, parsed and written canonically.
    pub body: [u8; 32],
    /// The answer, as JSON.
    pub answer: Arc<str>,
    /// When it was given.
    pub at: Timestamp,
}

/// What one command, or one step of a run, adds to a log: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The log.
    pub log: LogId,
    /// The events, by rising `seq`; none for a command that changed nothing.
    pub events: Vec<StoredEvent>,
    /// The answers to remember.
    pub keys: Vec<KeyRecord>,
}

/// Which part of a log to read. At least one event or entry is read if there is one, however
/// large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Only what has a greater number.
    pub after: u64,
    /// Only what has this number or a smaller one.
    pub until: u64,
    /// At most so many.
    pub max_items: usize,
    /// At most so many bytes of JSON.
    pub max_bytes: u64,
}

/// Part of a log's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The first `seq` that is retained; `last + 1` when none is.
    pub first_seq: u64,
    /// The events, by rising `seq`, without holes.
    pub events: Vec<Arc<StoredEvent>>,
}

/// Part of a log's transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    /// The first sequence that is retained; `last + 1` when none is, so 1 at the start.
    pub first_sequence: u64,
    /// The entries, by rising sequence, without holes.
    pub entries: Vec<Entry>,
}

/// Whether a store can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// As far as it knows it keeps everything.
    Sound,
    /// Something that it kept cannot be read any more: what it touches fails, everything else
    /// goes on.
    Damaged,
    /// It takes no more records, for as long as this process lasts. Reads go on.
    Failed,
}

/// Keeps logs, and the answers to commands. Every implementation gives the same guarantees; they
/// differ in what survives.
///
/// The Runtime commits to one log from one place at a time, in order, and to different logs
/// concurrently; it reads at any time. A store never blocks the thread it is called on.
#[async_trait]
pub trait Store: Send + Sync {
    /// The kind, as shown: `memory`, `fs`, …
    fn kind(&self) -> &'static str;

    /// What an operator should know. Texts never carry a path.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// Whether it can be relied on. Cheap: asked before every command.
    ///
    /// `Failed` from the first commit on that failed with effect `unknown`, and never anything
    /// else after it.
    fn condition(&self) -> Condition;

    /// Hands over what every log that is kept adds up to, each log once; never a log that was
    /// forgotten. It is what [`WorkerState`] makes of the log's events, whether or not the store
    /// still has all of them.
    ///
    /// Called once, before anything else.
    ///
    /// # Errors
    /// What cannot be read, is damaged, or does not add up to a Worker: the Runtime does not
    /// start.
    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError>;

    /// Adds a record, all of it or nothing. Once this returns `Ok` the record is as durable as
    /// the store makes anything.
    ///
    /// `after` is what its log adds up to with the record, so that a store need not fold what it
    /// keeps; for a record without events, what it adds up to already. It is shared with the
    /// Runtime: to keep it costs no memory until the next record.
    ///
    /// # Errors
    /// [`StoreError::effect`] says whether the record may count nevertheless. After an error of
    /// effect `unknown` the store takes no more records.
    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError>;

    /// Reads events.
    ///
    /// # Errors
    /// What cannot be read. A log that does not exist reads as empty, with `first_seq` 1.
    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError>;

    /// Reads the transcript: the entries of `input_accepted` and `entry_appended`, by sequence.
    ///
    /// # Errors
    /// What cannot be read. A log that does not exist reads as empty, with `first_sequence` 1.
    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError>;

    /// The answer that was committed under this key, unless it has expired. Of two it is the one
    /// that was committed last.
    ///
    /// # Errors
    /// What cannot be read: nothing is known of the key.
    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError>;

    /// Drops the answers that were given before `before`, and says how many are left. Cheap;
    /// never blocks.
    ///
    /// What was dropped may be there again after a restart, until it is dropped anew.
    fn expire_answers(&self, before: Timestamp) -> u64;

    /// Drops a log. Its answers are kept for their own time.
    ///
    /// # Errors
    /// The log is still there.
    async fn forget(&self, log: &LogId) -> Result<(), StoreError>;
}

/// Why a store could not do what it was asked.
///
/// Its text never carries a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written.
    #[error("the store refused: {0}")]
    Refused(&'static str),
    /// It was written, but whether it lasts is not known; the store takes no more records.
    #[error("the store cannot tell what it kept: {0}")]
    Uncertain(&'static str),
    /// What was read is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

impl StoreError {
    /// Whether a write that failed so may count nevertheless.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        match self {
            Self::Refused(_) | Self::Damaged(_) => Effect::None,
            Self::Uncertain(_) => Effect::Unknown,
        }
    }
}
