//! Idempotency keys: a command that is sent twice is applied once.

mod hash;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use yoi_protocol::Timestamp;

pub(crate) use hash::{Hash, hash_body, hash_key};

use crate::error::RuntimeError;
use crate::store::KeyRecord;

/// How long an answer is given again, in milliseconds: 24 hours.
pub(crate) const KEEP_MS: u64 = 24 * 60 * 60 * 1000;

/// The keys that are in use, and the answers that are remembered.
#[derive(Debug)]
pub(crate) struct Keys {
    limit: u64,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    held: HashMap<Hash, Held>,
    /// Answered keys, oldest first.
    oldest: VecDeque<(Timestamp, Hash)>,
}

#[derive(Debug)]
enum Held {
    /// A command is under way. The channel closes when it is over, either way.
    InFlight(watch::Receiver<()>),
    Answered(KeyRecord),
}

/// What a key turned out to be.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// New: go ahead.
    New(Claim),
    /// Used for the same command before: this was the answer.
    Answered(Arc<str>),
}

impl Keys {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        let table = Mutex::default();
        Arc::new(Self { limit, table })
    }

    /// Takes a key, or finds its answer. Waits while another command with it is under way.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        key: Hash,
        body: Hash,
        now: Timestamp,
    ) -> Result<Claimed, RuntimeError> {
        loop {
            let mut over = match self.try_claim(key, body, now)? {
                Ok(claimed) => return Ok(claimed),
                Err(in_flight) => in_flight,
            };
            // Nothing is ever sent: this ends when the sender is dropped.
            let _ = over.changed().await;
        }
    }

    fn try_claim(
        self: &Arc<Self>,
        key: Hash,
        body: Hash,
        now: Timestamp,
    ) -> Result<Result<Claimed, watch::Receiver<()>>, RuntimeError> {
        let mut table = self.table();
        table.expire(now);
        match table.held.get(&key) {
            Some(Held::InFlight(over)) => Ok(Err(over.clone())),
            Some(Held::Answered(record)) if record.body == body => {
                Ok(Ok(Claimed::Answered(Arc::clone(&record.answer))))
            }
            Some(Held::Answered(_)) => Err(RuntimeError::IdempotencyConflict),
            None if table.held.len() as u64 >= self.limit => Err(RuntimeError::LimitReached {
                limit: "max_idempotency_keys",
            }),
            None => {
                let (over, in_flight) = watch::channel(());
                table.held.insert(key, Held::InFlight(in_flight));
                Ok(Ok(Claimed::New(Claim {
                    keys: Arc::clone(self),
                    key,
                    body,
                    _over: over,
                })))
            }
        }
    }

    /// Remembers an answer that an earlier process gave. The limit does not apply: it was kept.
    pub(crate) fn restore(&self, record: KeyRecord) {
        self.table().answer(record);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn expire(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.oldest.front()
            && now.ms_since(*at) >= KEEP_MS
        {
            self.held.remove(key);
            self.oldest.pop_front();
        }
    }

    fn answer(&mut self, record: KeyRecord) {
        self.oldest.push_back((record.at, record.key));
        self.held.insert(record.key, Held::Answered(record));
    }
}

/// A key that a command has taken. Dropped without an answer it is free again.
#[derive(Debug)]
#[must_use]
pub(crate) struct Claim {
    keys: Arc<Keys>,
    key: Hash,
    body: Hash,
    _over: watch::Sender<()>,
}

impl Claim {
    /// What to commit together with the command.
    pub(crate) fn record(&self, answer: Arc<str>, at: Timestamp) -> KeyRecord {
        KeyRecord {
            key: self.key,
            body: self.body,
            answer,
            at,
        }
    }

    /// The record is committed: from now on the key has this answer.
    pub(crate) fn settle(self, record: KeyRecord) {
        self.keys.table().answer(record);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = self.keys.table();
        if matches!(table.held.get(&self.key), Some(Held::InFlight(_))) {
            table.held.remove(&self.key);
        }
    }
}
