//! What changes something: decided, audited, and carried to its end.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;
use yoi_protocol::{
    CancelRequest, Cancelled, Capability, Code, CreateWorker, Effect, Failure, InputAccepted,
    InputRequest, Operation, RuntimeId, StopRequest, Stopped, Worker, WorkerId,
};

use super::{Backend, Caller, context};
use crate::audit::{Attempt, AuditRecord};
use crate::handle::{Applied, CallContext};
use crate::idempotency::forwarded;
use crate::observation::cursor::CursorSeal;
use crate::registry::Entry;

impl Backend {
    /// Creates a Worker.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy and audit.
    pub async fn create_worker(
        &self,
        caller: Caller,
        runtime_id: &RuntimeId,
        body: CreateWorker,
    ) -> Result<Applied<Worker>, Failure> {
        let attempt = attempt(
            &caller,
            Operation::CreateWorker,
            runtime_id,
            body.worker_id.as_ref(),
        );
        self.carried(caller, attempt, async move |entry, call| {
            let mut created = entry.handle.create_worker(body, &call).await?;
            entry.scrub.worker(&mut created.value);
            Ok(created)
        })
        .await
    }

    /// Sends a Worker an input.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy and audit.
    pub async fn send_input(
        &self,
        caller: Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        body: InputRequest,
    ) -> Result<Applied<InputAccepted>, Failure> {
        let attempt = attempt(&caller, Operation::SendInput, runtime_id, Some(worker_id));
        let seal = CursorSeal::new(&self.inner.keys, runtime_id, worker_id);
        let worker_id = worker_id.clone();
        self.carried(caller, attempt, async move |entry, call| {
            let mut accepted = entry.handle.send_input(&worker_id, body, &call).await?;
            accepted.value.cursor = seal.seal(&accepted.value.cursor)?;
            Ok(accepted)
        })
        .await
    }

    /// Cancels a Worker's active run.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy and audit.
    pub async fn cancel(
        &self,
        caller: Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        body: CancelRequest,
    ) -> Result<Applied<Cancelled>, Failure> {
        let attempt = attempt(&caller, Operation::Cancel, runtime_id, Some(worker_id));
        let worker_id = worker_id.clone();
        self.carried(caller, attempt, async move |entry, call| {
            let mut cancelled = entry.handle.cancel(&worker_id, body, &call).await?;
            entry.scrub.worker(&mut cancelled.value.worker);
            Ok(cancelled)
        })
        .await
    }

    /// Stops a Worker for good.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy and audit.
    pub async fn stop(
        &self,
        caller: Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        body: StopRequest,
    ) -> Result<Applied<Stopped>, Failure> {
        let attempt = attempt(&caller, Operation::Stop, runtime_id, Some(worker_id));
        let worker_id = worker_id.clone();
        self.carried(caller, attempt, async move |entry, call| {
            let mut stopped = entry.handle.stop(&worker_id, body, &call).await?;
            entry.scrub.worker(&mut stopped.value.worker);
            Ok(stopped)
        })
        .await
    }

    /// Does a command in a task of its own, so that it and its record are carried to their end
    /// also when the caller hangs up.
    async fn carried<T, Act, Acting>(
        &self,
        caller: Caller,
        attempt: Attempt,
        act: Act,
    ) -> Result<Applied<T>, Failure>
    where
        T: Named + Send + 'static,
        Act: FnOnce(Arc<Entry>, CallContext) -> Acting + Send + 'static,
        Acting: Future<Output = Result<Applied<T>, Failure>> + Send + 'static,
    {
        let backend = self.clone();
        let command = async move { backend.audited(caller, attempt, act).await };
        let task = self.inner.commands.spawn(command.in_current_span());
        // What fails in the command itself is caught there: this is policy or audit.
        task.await.unwrap_or_else(|error| {
            let cause = error.try_into_panic().ok();
            tracing::error!(panic = words(cause.as_deref()), "a command was not carried");
            Err(fault())
        })
    }

    async fn audited<T, Act, Acting>(
        &self,
        caller: Caller,
        attempt: Attempt,
        act: Act,
    ) -> Result<Applied<T>, Failure>
    where
        T: Named,
        Act: FnOnce(Arc<Entry>, CallContext) -> Acting,
        Acting: Future<Output = Result<Applied<T>, Failure>>,
    {
        let began = Instant::now();
        // Decided first: what is not allowed is not allowed, whether or not it can be recorded.
        let admitted = self.admit(
            &caller,
            attempt.operation,
            &attempt.runtime_id,
            attempt.worker_id.as_ref(),
        );
        let can_be_recorded = self.inner.audit.admit(&attempt).await.is_ok();
        let result = match admitted {
            Ok(_) if !can_be_recorded => return Err(Failure::new(Code::Unavailable)),
            Err(refused) if !can_be_recorded => return Err(refused),
            Ok(entry) => {
                let acting = self.act(caller, entry, act);
                let outcome = AssertUnwindSafe(acting).catch_unwind().await;
                outcome.unwrap_or_else(|panic| Err(told_fault(entry, &*panic)))
            }
            Err(refused) => Err(refused),
        };
        let failure = result.as_ref().err();
        let record = AuditRecord {
            attempt,
            code: failure.map(|failure| failure.code),
            effect: failure.map(|failure| failure.effect),
            created: result
                .as_ref()
                .ok()
                .and_then(|applied| applied.value.created()),
            duration: began.elapsed(),
        };
        self.inner.audit.record(record).await;
        result
    }

    async fn act<T, Act, Acting>(
        &self,
        caller: Caller,
        entry: &Arc<Entry>,
        act: Act,
    ) -> Result<Applied<T>, Failure>
    where
        Act: FnOnce(Arc<Entry>, CallContext) -> Acting,
        Acting: Future<Output = Result<Applied<T>, Failure>>,
    {
        if self.inner.draining.load(Ordering::Acquire) {
            return Err(Failure::new(Code::Unavailable));
        }
        if caller
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            return Err(Failure::new(Code::TimedOut));
        }
        let honoured = entry.presence.capability(&Capability::IDEMPOTENCY);
        let call = CallContext {
            key: forwarded(&caller.principal, caller.key.as_ref(), honoured)?,
            ..context(&caller, entry)
        };
        entry.settle(act(Arc::clone(entry), call).await)
    }
}

fn attempt(
    caller: &Caller,
    operation: Operation,
    runtime_id: &RuntimeId,
    worker_id: Option<&WorkerId>,
) -> Attempt {
    Attempt {
        principal: caller.principal.clone(),
        operation,
        runtime_id: runtime_id.clone(),
        worker_id: worker_id.cloned(),
        request_id: caller.request_id.clone(),
    }
}

/// A fault of ours in the middle of a command.
fn fault() -> Failure {
    Failure::new(Code::Internal).with_effect(Effect::Unknown)
}

/// The same, and its cause in the log, under the request.
fn told_fault(entry: &Entry, panic: &(dyn Any + Send)) -> Failure {
    let mut cause = words(Some(panic)).to_owned();
    entry.scrub.text(&mut cause);
    tracing::error!(panic = cause, "a command panicked");
    fault()
}

fn words(panic: Option<&(dyn Any + Send)>) -> &str {
    panic
        .and_then(|panic| {
            let fixed = panic.downcast_ref::<&str>().copied();
            fixed.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        })
        .unwrap_or("without words")
}

/// What an answer says of a Worker that was made.
trait Named {
    fn created(&self) -> Option<WorkerId>;
}

impl Named for Worker {
    fn created(&self) -> Option<WorkerId> {
        Some(self.worker_id.clone())
    }
}

macro_rules! makes_none {
    ($($answer:ty),*) => {$(
        impl Named for $answer {
            fn created(&self) -> Option<WorkerId> {
                None
            }
        }
    )*};
}

makes_none!(InputAccepted, Cancelled, Stopped);
