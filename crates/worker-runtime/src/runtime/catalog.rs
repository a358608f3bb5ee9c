//! Catalog and lifecycle: which Workers there are, and how they come and go.

use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::oneshot;
use yoi_protocol::list::checked_limit;
use yoi_protocol::{
    CreateWorker, FieldError, ListQuery, Operation, StopRequest, Stopped, Timestamp, Worker,
    WorkerId, WorkerPage, WorkerStatus,
};

use super::command::Command;
use super::run::Ask;
use super::slot::Slot;
use super::{Applied, CommandContext, Inner, Runtime, decide};
use crate::error::RuntimeError;
use crate::fold::WorkerState;
use crate::ids;
use crate::size::json_bytes;
use crate::store::{LogId, Record, StoredEvent};
use crate::token;

/// What a page of Workers is beside its Workers, in bytes of JSON, at most.
const PAGE_ENVELOPE_BYTES: u64 = 256;

impl Runtime {
    /// One page of Workers, by rising id. A Worker that exists throughout is neither skipped nor
    /// repeated from page to page.
    ///
    /// # Errors
    /// `InvalidRequest` at `/limit` or `/page`.
    pub async fn list_workers(&self, query: &ListQuery) -> Result<WorkerPage, RuntimeError> {
        let inner = &self.inner;
        inner.forget_due();
        let limit = valid_limit(query.limit)?;
        let after = match &query.page {
            None => None,
            Some(page) => Some(token::parse_page(page).ok_or_else(|| {
                RuntimeError::invalid("/page", "must be the next_page of an earlier answer")
            })?),
        };
        let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = WorkerPage::default();
        let mut bytes = PAGE_ENVELOPE_BYTES;
        for slot in inner
            .catalog()
            .range::<WorkerId, _>((start, Bound::Unbounded))
            .map(|(_, slot)| slot)
        {
            let summary = {
                let live = slot.live();
                let worker = &live.state.worker;
                if query.status.is_some_and(|status| status != worker.status) {
                    continue;
                }
                worker.summary()
            };
            bytes += json_bytes(&summary) + 1;
            let is_full = page.workers.len() >= limit || bytes > inner.limits.max_page_bytes;
            match page.workers.last() {
                Some(last) if is_full => {
                    page.next_page = Some(token::page_after(&last.worker_id));
                    break;
                }
                _ => page.workers.push(summary),
            }
        }
        Ok(page)
    }

    /// One Worker.
    ///
    /// # Errors
    /// `WorkerNotFound`.
    pub async fn get_worker(&self, worker_id: &WorkerId) -> Result<Worker, RuntimeError> {
        self.inner.forget_due();
        let slot = self.inner.slot(worker_id)?;
        let worker = slot.live().state.worker.clone();
        Ok(worker)
    }

    /// Creates a Worker, idle.
    ///
    /// # Errors
    /// `InvalidRequest`, `OperationUnsupported`, `WorkerAlreadyExists`, `LimitReached`
    /// (`max_workers`), and what any command may answer.
    pub async fn create_worker(
        &self,
        request: CreateWorker,
        context: CommandContext,
    ) -> Result<Applied<Worker>, RuntimeError> {
        check_create(&request)?;
        let body = request.clone();
        let target = (Operation::CreateWorker, None);
        self.command(target, &body, context, |inner, command| async move {
            inner.create(request, command).await
        })
        .await
    }

    /// Stops a Worker for good, and its active run with it. Answers once that is committed; again
    /// the same for a Worker that is stopped already.
    ///
    /// # Errors
    /// `InvalidRequest`, `WorkerNotFound`, and what any command may answer.
    pub async fn stop_worker(
        &self,
        worker_id: &WorkerId,
        request: StopRequest,
        context: CommandContext,
    ) -> Result<Applied<Stopped>, RuntimeError> {
        valid(request.validate())?;
        let body = request.clone();
        let id = worker_id.clone();
        let target = (Operation::Stop, Some(worker_id));
        self.command(target, &body, context, |inner, command| async move {
            inner.stop(&id, request, command).await
        })
        .await
    }
}

impl Inner {
    async fn create(
        self: Arc<Self>,
        request: CreateWorker,
        mut command: Command,
    ) -> Result<Worker, RuntimeError> {
        self.forget_due();
        let profile = self.profile_of(&request)?;
        let worker_id = match &request.worker_id {
            Some(worker_id) => worker_id.clone(),
            None => ids::worker_id(&*self.ids),
        };
        let _gate = self.create_gate(&worker_id).lock().await;
        if self.catalog().contains_key(&worker_id) {
            return Err(RuntimeError::WorkerAlreadyExists);
        }
        let place = self.places.take().ok_or(RuntimeError::LimitReached {
            limit: "max_workers",
        })?;
        command.begin()?;
        let at = self.clock.now();
        let worker = self.new_worker(worker_id.clone(), profile, request, at);
        let log = LogId {
            worker_id: worker_id.clone(),
            life: self.ids.next(),
        };
        let first = StoredEvent {
            seq: 1,
            at,
            event: decide::create(worker.clone()),
        };
        let state = WorkerState::begin(&first).map_err(|_| RuntimeError::Internal)?;
        let state = Arc::new(state);
        let answer = command.remember(&worker, at)?;
        let record = Record {
            log: log.clone(),
            events: vec![first],
            keys: answer.iter().map(|answer| answer.record.clone()).collect(),
        };
        self.write(record, Arc::clone(&state)).await?;
        let slot = Arc::new(Slot::new(log, state, Some(place)));
        // As with every commit: counted, then seen, then answered.
        self.counts.moved(None, Some(WorkerStatus::Idle));
        self.catalog_mut().insert(worker_id, slot);
        drop(answer);
        Ok(worker)
    }

    /// The profile that a Worker is to have: one that is known and could run now.
    fn profile_of(&self, request: &CreateWorker) -> Result<String, RuntimeError> {
        let name = request.profile.as_ref().unwrap_or(&self.default_profile);
        let spec = self.profiles.get(name).ok_or_else(|| {
            RuntimeError::invalid("/profile", "must name a profile that this runtime has")
        })?;
        spec.executor.check().map_err(|unavailable| {
            RuntimeError::invalid("/profile", &format!("cannot run now: {unavailable}"))
        })?;
        Ok(name.clone())
    }

    fn new_worker(
        &self,
        worker_id: WorkerId,
        profile: String,
        request: CreateWorker,
        at: Timestamp,
    ) -> Worker {
        let name = request.display_name.as_deref();
        let runtime_name = self.display_name.as_deref();
        let display_ref = format!(
            "{}@{}",
            name.unwrap_or(worker_id.as_str()),
            runtime_name.unwrap_or(self.id.as_str()),
        );
        Worker {
            runtime_id: self.id.clone(),
            worker_id,
            display_name: request.display_name,
            display_ref,
            status: WorkerStatus::Idle,
            profile,
            intent: request.intent,
            labels: request.labels,
            created_at: at,
            updated_at: at,
            transcript_length: 0,
            active_run: None,
            last_run: None,
        }
    }

    async fn stop(
        self: Arc<Self>,
        worker_id: &WorkerId,
        request: StopRequest,
        command: Command,
    ) -> Result<Stopped, RuntimeError> {
        self.forget_due();
        let slot = self.slot(worker_id)?;
        let gate = slot.gate.lock().await;
        command.begin()?;
        let (answer, answered) = oneshot::channel();
        let reason = request.reason;
        let command = match slot.live().run.as_mut() {
            Some(run) => {
                run.ask(Ask::Stop {
                    command,
                    reason,
                    answer,
                });
                None
            }
            None => Some((command, reason)),
        };
        let Some((mut command, reason)) = command else {
            drop(gate);
            return answered.await.unwrap_or(Err(RuntimeError::Internal));
        };
        let is_stopped = slot.live().state.is_over;
        let events = if is_stopped {
            Vec::new()
        } else {
            decide::stop(reason).into()
        };
        let at = self.clock.now();
        let draft = self.draft(&slot, at, events)?;
        let stopped = Stopped {
            worker: draft.next.worker.clone(),
        };
        let answers = command.remember(&stopped, at)?.into_iter().collect();
        self.commit(&slot, draft, answers).await?;
        Ok(stopped)
    }
}

/// What no Runtime of this version does with a Worker is said, never dropped in silence.
fn check_create(request: &CreateWorker) -> Result<(), RuntimeError> {
    valid(request.validate())?;
    let asked = [
        ("/config_bundle", request.config_bundle.is_some()),
        (
            "/requested_capabilities",
            !request.requested_capabilities.is_empty(),
        ),
        ("/workspace_refs", !request.workspace_refs.is_empty()),
        ("/mount_refs", !request.mount_refs.is_empty()),
    ];
    let errors: Vec<FieldError> = asked
        .iter()
        .filter(|(_, is_asked)| *is_asked)
        .map(|(pointer, _)| FieldError {
            pointer: (*pointer).to_owned(),
            message: "is not granted by any profile of this runtime".to_owned(),
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        let operation = Operation::CreateWorker;
        Err(RuntimeError::OperationUnsupported { operation, errors })
    }
}

/// The fields at fault, if any.
pub(super) fn valid(errors: Vec<FieldError>) -> Result<(), RuntimeError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(RuntimeError::InvalidRequest { errors })
    }
}

/// The number of items that a query asks for.
pub(super) fn valid_limit(limit: Option<u64>) -> Result<usize, RuntimeError> {
    checked_limit(limit).map_err(|failure| RuntimeError::InvalidRequest {
        errors: failure.details.errors,
    })
}
