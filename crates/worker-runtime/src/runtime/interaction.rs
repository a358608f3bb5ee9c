//! Interaction: what a Worker is told, and what was said.

use std::sync::Arc;

use tokio::sync::oneshot;
use yoi_protocol::{
    CancelRequest, Cancelled, InputAccepted, InputKind, InputRequest, Operation, Transcript,
    TranscriptQuery, WorkerId,
};

use super::catalog::{valid, valid_limit};
use super::command::Command;
use super::run::{Ask, RunControl};
use super::{Applied, CommandContext, Inner, Runtime, decide, frames, reading};
use crate::error::RuntimeError;
use crate::executor::RunContext;
use crate::ids;
use crate::store::Range;

/// What a page of a transcript is beside its entries, in bytes of JSON, at most.
const PAGE_ENVELOPE_BYTES: u64 = 512;

impl Runtime {
    /// Takes an input and begins its run. Answers once both are committed.
    ///
    /// # Errors
    /// `PayloadTooLarge`, `WorkerNotFound`, `WorkerBusy`, `WorkerStopped`, `LimitReached`
    /// (`max_runs`), and what any command may answer.
    pub async fn send_input(
        &self,
        worker_id: &WorkerId,
        request: InputRequest,
        context: CommandContext,
    ) -> Result<Applied<InputAccepted>, RuntimeError> {
        decide::check_input(&request.content, &self.inner.limits)?;
        // An absent kind means this one, so with either the body is the same.
        let kind = Some(request.kind.unwrap_or(InputKind::User));
        let body = InputRequest { kind, ..request };
        let content = body.content.clone();
        let id = worker_id.clone();
        let target = (Operation::SendInput, Some(worker_id));
        self.command(target, &body, context, |inner, command| async move {
            inner.input(&id, content, command).await
        })
        .await
    }

    /// Ends the active run; with a `run_id` only that one. Answers once the end of the run is
    /// committed. When there is no such run, or it ended by itself first, nothing is cancelled
    /// and the answer has no `cancelled_run_id`.
    ///
    /// # Errors
    /// `InvalidRequest`, `WorkerNotFound`, and what any command may answer.
    pub async fn cancel(
        &self,
        worker_id: &WorkerId,
        request: CancelRequest,
        context: CommandContext,
    ) -> Result<Applied<Cancelled>, RuntimeError> {
        valid(request.validate())?;
        let body = request.clone();
        let id = worker_id.clone();
        let target = (Operation::Cancel, Some(worker_id));
        self.command(target, &body, context, |inner, command| async move {
            inner.cancel(&id, request, command).await
        })
        .await
    }

    /// One page of what was said, as far as it is retained.
    ///
    /// # Errors
    /// `InvalidRequest` at `/limit`, `WorkerNotFound`, `StoreFailed`, `TimedOut`.
    pub async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, RuntimeError> {
        let inner = &self.inner;
        inner.forget_due();
        let max_items = valid_limit(query.limit)?;
        let slot = inner.slot(worker_id)?;
        let until = slot.live().state.worker.transcript_length;
        let range = Range {
            after: query.after.unwrap_or(0),
            until,
            max_items,
            max_bytes: inner
                .limits
                .max_page_bytes
                .saturating_sub(PAGE_ENVELOPE_BYTES),
        };
        let entries = inner.entries(&slot.log, range);
        let page = reading::by(inner.read_limit(), &slot.log, entries).await?;
        let last = page.entries.last().map(|entry| entry.sequence);
        Ok(Transcript {
            runtime_id: inner.id.clone(),
            worker_id: worker_id.clone(),
            first_sequence: page.first_sequence,
            entries: page.entries,
            next_after: last.filter(|last| *last < until),
        })
    }
}

impl Inner {
    async fn input(
        self: Arc<Self>,
        worker_id: &WorkerId,
        content: String,
        mut command: Command,
    ) -> Result<InputAccepted, RuntimeError> {
        self.forget_due();
        let slot = self.slot(worker_id)?;
        let _gate = slot.gate.lock().await;
        let at = self.clock.now();
        let run_id = ids::run_id(&*self.ids);
        let (events, profile) = {
            let live = slot.live();
            let events = decide::input(&live.state, content.clone(), &run_id, at)?;
            (events, live.state.worker.profile.clone())
        };
        let executor = match self.profiles.get(&profile) {
            Some(spec) => Arc::clone(&spec.executor),
            // Its profile was there when it was created; the configuration is another now.
            None => return Err(self.lacks_profile()),
        };
        let place = self
            .run_places
            .take()
            .ok_or(RuntimeError::LimitReached { limit: "max_runs" })?;
        command.begin()?;
        let draft = self.draft(&slot, at, events)?;
        let accepted = InputAccepted {
            runtime_id: self.id.clone(),
            worker_id: worker_id.clone(),
            run_id: run_id.clone(),
            sequence: draft.next.worker.transcript_length,
            cursor: frames::cursor(&slot.log, draft.events.first().map_or(0, |event| event.seq)),
            accepted_at: at,
        };
        let answers = command.remember(&accepted, at)?.into_iter().collect();
        self.commit(&slot, draft, answers).await?;
        let control = RunControl::new(place);
        let cut = control.cut.clone();
        let run = RunContext {
            worker_id: worker_id.clone(),
            run_id,
            input: content,
            cancelled: control.cancelled.clone(),
        };
        slot.live().run = Some(Box::new(control));
        self.begin_run(&slot, executor, run, cut);
        Ok(accepted)
    }

    fn lacks_profile(&self) -> RuntimeError {
        RuntimeError::OperationUnsupported {
            operation: Operation::SendInput,
            errors: Vec::new(),
        }
    }

    async fn cancel(
        self: Arc<Self>,
        worker_id: &WorkerId,
        request: CancelRequest,
        command: Command,
    ) -> Result<Cancelled, RuntimeError> {
        self.forget_due();
        let slot = self.slot(worker_id)?;
        let gate = slot.gate.lock().await;
        command.begin()?;
        let (answer, answered) = oneshot::channel();
        let left = {
            let mut live = slot.live();
            let is_meant = live
                .active_run()
                .is_some_and(|active| request.run_id.as_ref().is_none_or(|id| id == active));
            match live.run.as_mut() {
                Some(run) if is_meant => {
                    run.ask(Ask::Cancel { command, answer });
                    None
                }
                _ => Some(command),
            }
        };
        let Some(mut command) = left else {
            drop(gate);
            return answered.await.unwrap_or(Err(RuntimeError::Internal));
        };
        let at = self.clock.now();
        let draft = self.draft(&slot, at, Vec::new())?;
        let cancelled = Cancelled {
            worker: draft.next.worker.clone(),
            cancelled_run_id: None,
        };
        let answers = command.remember(&cancelled, at)?.into_iter().collect();
        self.commit(&slot, draft, answers).await?;
        Ok(cancelled)
    }
}
