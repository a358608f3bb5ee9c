//! How every command goes: admitted, named by its key, begun in time, carried to its end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use yoi_protocol::{Effect, Operation, Timestamp, WorkerId};

use super::{Applied, CommandContext, Inner, Runtime};
use crate::error::RuntimeError;
use crate::idempotency::{Claim, Claimed, hash_body, hash_key};
use crate::store::KeyRecord;

/// One command under way.
#[derive(Debug)]
pub(super) struct Command {
    claim: Option<Claim>,
    start: Arc<Start>,
}

/// What is committed with a command to remember its answer. Dropped once that can be seen, so
/// that nobody is given it again before.
#[derive(Debug)]
pub(super) struct Remembered {
    _claim: Claim,
    pub(super) record: KeyRecord,
}

impl Command {
    /// The last moment to turn back: from here on the command is carried to its end.
    pub(super) fn begin(&self) -> Result<(), RuntimeError> {
        self.start.begin()
    }

    /// The answer under the command's key, if it has one.
    pub(super) fn remember<T: Serialize>(
        &mut self,
        answer: &T,
        at: Timestamp,
    ) -> Result<Option<Remembered>, RuntimeError> {
        let Some(claim) = self.claim.take() else {
            return Ok(None);
        };
        let answer = serde_json::to_string(answer).map_err(|_| RuntimeError::Internal)?;
        let record = claim.record(answer.into(), at);
        Ok(Some(Remembered {
            _claim: claim,
            record,
        }))
    }
}

impl Runtime {
    /// Runs a command in a task of its own, so that a caller who hangs up does not undo half of
    /// it, and waits for its answer as long as the caller does.
    pub(super) async fn command<T, B, Work>(
        &self,
        target: (Operation, Option<&WorkerId>),
        body: &B,
        context: CommandContext,
        work: impl FnOnce(Arc<Inner>, Command) -> Work + Send + 'static,
    ) -> Result<Applied<T>, RuntimeError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        B: Serialize,
        Work: Future<Output = Result<T, RuntimeError>> + Send + 'static,
    {
        // Taken before the look at the flag, so that a drain either waits for this or is seen.
        let in_flight = self.inner.commands.token();
        self.inner.admit()?;
        let limit = self.inner.limit_for(context.deadline);
        let start = Arc::new(Start::new(limit));
        let key = match &context.key {
            Some(key) => Some((hash_key(target.0, target.1, key), hash_body(body)?)),
            None => None,
        };
        let inner = Arc::clone(&self.inner);
        let command_start = Arc::clone(&start);
        let task = async move {
            let claim = match key {
                None => None,
                Some((key, body)) => {
                    let claim = inner.keys.claim(key, body, inner.clock.now());
                    // No longer than its caller waits: a store that does not answer must not
                    // keep the key from who asks next.
                    let claimed = timeout_at(limit, claim).await.map_err(|_| TOO_LATE)?;
                    match claimed? {
                        Claimed::New(claim) => Some(claim),
                        Claimed::Answered(answer) => return replay(&answer),
                    }
                }
            };
            let start = command_start;
            let value = work(inner, Command { claim, start }).await?;
            drop(in_flight);
            Ok(Applied {
                value,
                replayed: false,
            })
        };
        let task = tokio::spawn(task.in_current_span());
        match timeout_at(limit, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failed)) => {
                tracing::error!(operation = %target.0, error = %failed, "a command failed");
                Err(RuntimeError::Internal)
            }
            Err(_) => Err(RuntimeError::TimedOut {
                effect: start.abandon(),
            }),
        }
    }
}

impl Inner {
    /// Whether commands are taken at all.
    fn admit(&self) -> Result<(), RuntimeError> {
        if self.is_draining() {
            return Err(RuntimeError::Unavailable);
        }
        if self.has_store_failed() {
            return Err(RuntimeError::StoreFailed {
                effect: Effect::None,
            });
        }
        Ok(())
    }

    /// When this Runtime stops waiting, or the caller before it.
    pub(super) fn limit_for(&self, deadline: Option<Instant>) -> Instant {
        let own = Instant::now() + Duration::from_millis(self.limits.operation_timeout_ms);
        deadline.map_or(own, |deadline| deadline.min(own))
    }
}

fn replay<T: DeserializeOwned>(answer: &str) -> Result<Applied<T>, RuntimeError> {
    let value = serde_json::from_str(answer).map_err(|error| {
        tracing::error!(%error, "a remembered answer does not parse");
        RuntimeError::Internal
    })?;
    Ok(Applied {
        value,
        replayed: true,
    })
}

/// What a command comes to that did not begin in time.
const TOO_LATE: RuntimeError = RuntimeError::TimedOut {
    effect: Effect::None,
};

/// Settles, between the caller who stops waiting and the command that starts, who was first.
#[derive(Debug)]
struct Start {
    limit: Instant,
    state: AtomicU8,
}

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const ABANDONED: u8 = 2;

impl Start {
    fn new(limit: Instant) -> Self {
        let state = AtomicU8::new(WAITING);
        Self { limit, state }
    }

    fn begin(&self) -> Result<(), RuntimeError> {
        if Instant::now() >= self.limit {
            return Err(TOO_LATE);
        }
        match self.swap(BEGUN) {
            WAITING | BEGUN => Ok(()),
            _ => Err(TOO_LATE),
        }
    }

    /// The effect of a command that nobody waits for any more.
    fn abandon(&self) -> Effect {
        match self.swap(ABANDONED) {
            BEGUN => Effect::Unknown,
            _ => Effect::None,
        }
    }

    /// Leaves `WAITING` for `to`, once; returns what it was.
    fn swap(&self, to: u8) -> u8 {
        match self
            .state
            .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(before) | Err(before) => before,
        }
    }
}

#[cfg(test)]
mod tests;
