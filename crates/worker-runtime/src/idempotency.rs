//! Idempotency keys: a command that is sent twice is applied once.
//!
//! Answers are the store's: an answer is committed with what it tells, and read back where it
//! was committed. Here are only the keys of commands that are under way.

mod hash;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use yoi_protocol::{Effect, Timestamp};

pub(crate) use hash::{Hash, hash_body, hash_key};

use crate::error::RuntimeError;
use crate::store::{KeyRecord, Store, StoreError};

/// How long an answer is given again, in milliseconds: 24 hours.
pub(crate) const KEEP_MS: u64 = 24 * 60 * 60 * 1000;

/// The keys that are in use.
pub(crate) struct Keys {
    limit: u64,
    store: Arc<dyn Store>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Each closes when its command is over, either way.
    in_flight: HashMap<Hash, watch::Receiver<()>>,
    /// How many of them turned out to be new: those may come to be answers.
    new: u64,
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
    pub(crate) fn new(limit: u64, store: Arc<dyn Store>) -> Arc<Self> {
        let table = Mutex::default();
        Arc::new(Self {
            limit,
            store,
            table,
        })
    }

    /// Takes a key, or finds its answer. Waits while another command with it is under way.
    ///
    /// The key is taken before the store is asked: an answer that is committed meanwhile is
    /// either found, or is that of another key.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        key: Hash,
        body: Hash,
        now: Timestamp,
    ) -> Result<Claimed, RuntimeError> {
        let mut claim = self.take(key, body).await;
        match self.answer(&key, now).await? {
            Some(record) if record.body == body => Ok(Claimed::Answered(record.answer)),
            Some(_) => Err(RuntimeError::IdempotencyConflict),
            None => {
                claim.begin(now)?;
                Ok(Claimed::New(claim))
            }
        }
    }

    /// Lets the store drop the answers that are not given again.
    pub(crate) fn expire(&self, now: Timestamp) {
        self.store.expire_answers(first_kept(now));
    }

    async fn take(self: &Arc<Self>, key: Hash, body: Hash) -> Claim {
        loop {
            let mut over = match self.try_take(key, body) {
                Ok(claim) => return claim,
                Err(in_flight) => in_flight,
            };
            // Nothing is ever sent: this ends when the sender is dropped.
            let _ = over.changed().await;
        }
    }

    fn try_take(self: &Arc<Self>, key: Hash, body: Hash) -> Result<Claim, watch::Receiver<()>> {
        let mut table = self.table();
        if let Some(over) = table.in_flight.get(&key) {
            return Err(over.clone());
        }
        let (over, in_flight) = watch::channel(());
        table.in_flight.insert(key, in_flight);
        Ok(Claim {
            keys: Arc::clone(self),
            key,
            body,
            is_new: false,
            _over: over,
        })
    }

    /// The answer under a key that still counts.
    async fn answer(&self, key: &Hash, now: Timestamp) -> Result<Option<KeyRecord>, RuntimeError> {
        let record = self.store.answer(key).await.map_err(|error| {
            tracing::error!(%error, "whether a key was used could not be read");
            RuntimeError::StoreFailed {
                effect: match error {
                    // There is an answer, so the command was done once.
                    StoreError::Damaged(_) => Effect::Unknown,
                    // Nothing is begun, whatever the store says.
                    StoreError::Refused(_) | StoreError::Uncertain(_) => Effect::None,
                },
            }
        })?;
        Ok(record.filter(|record| record.at >= first_kept(now)))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("limit", &self.limit)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// When an answer must have been given, at the earliest, to be given again.
fn first_kept(now: Timestamp) -> Timestamp {
    let keep = i64::try_from(KEEP_MS).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(now.as_unix_ms().saturating_sub(keep).saturating_add(1))
}

/// A key that a command has taken. Free again when it is dropped: whoever comes next finds the
/// answer that was committed, or none.
#[derive(Debug)]
#[must_use]
pub(crate) struct Claim {
    keys: Arc<Keys>,
    key: Hash,
    body: Hash,
    is_new: bool,
    _over: watch::Sender<()>,
}

impl Claim {
    /// Takes a place among `max_idempotency_keys` for a key that has no answer.
    fn begin(&mut self, now: Timestamp) -> Result<(), RuntimeError> {
        let mut table = self.keys.table();
        // Counted while no other can be: an answer that is committed now is still in flight.
        let answers = self.keys.store.expire_answers(first_kept(now));
        if answers.saturating_add(table.new) >= self.keys.limit {
            return Err(RuntimeError::LimitReached {
                limit: "max_idempotency_keys",
            });
        }
        table.new += 1;
        self.is_new = true;
        Ok(())
    }

    /// What to commit together with the command.
    pub(crate) fn record(&self, answer: Arc<str>, at: Timestamp) -> KeyRecord {
        KeyRecord {
            key: self.key,
            body: self.body,
            answer,
            at,
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = self.keys.table();
        table.in_flight.remove(&self.key);
        table.new -= u64::from(self.is_new);
    }
}
