//! A Runtime whose answers are minded: what it creates is remembered, what it lacks is not asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use yoi_protocol::{
    CancelRequest, Cancelled, Capability, CreateWorker, Cursor, Failure, IdempotencyKey,
    InputAccepted, InputRequest, ListQuery, Operation, RuntimeInfo, StopRequest, Stopped,
    Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};

use crate::subject::{Done, Frames, Subject};

/// A Subject that is not asked for what its Runtime does not list.
pub(crate) struct Minded {
    inner: Arc<dyn Subject>,
    capabilities: Vec<Capability>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    made: Vec<WorkerId>,
    lacked: Option<Operation>,
}

impl Minded {
    pub(crate) fn new(inner: Arc<dyn Subject>, info: &RuntimeInfo) -> Self {
        Self {
            inner,
            capabilities: info.capabilities.clone(),
            notes: Mutex::default(),
        }
    }

    /// Whether an operation is listed.
    pub(crate) fn lists(&self, operation: Operation) -> bool {
        self.capabilities.contains(&Capability::from(operation))
    }

    /// Remembers a Worker that is there, or may come to be.
    pub(crate) fn own(&self, worker_id: &WorkerId) {
        let made = &mut self.notes().made;
        if made.last() != Some(worker_id) {
            made.push(worker_id.clone());
        }
    }

    /// Every Worker since the last time.
    pub(crate) fn take(&self) -> Vec<WorkerId> {
        std::mem::take(&mut self.notes().made)
    }

    /// An operation that was wanted since the last time, and is not listed.
    pub(crate) fn lacked(&self) -> Option<Operation> {
        self.notes().lacked.take()
    }

    fn needs(&self, operation: Operation) -> Result<(), Failure> {
        if self.lists(operation) {
            return Ok(());
        }
        self.notes().lacked = Some(operation);
        Err(Failure::unsupported(operation.as_str()))
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Subject for Minded {
    async fn runtime(&self) -> Result<RuntimeInfo, Failure> {
        self.inner.runtime().await
    }

    async fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure> {
        self.needs(Operation::ListWorkers)?;
        self.inner.list(query).await
    }

    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure> {
        self.needs(Operation::GetWorker)?;
        self.inner.get(worker_id).await
    }

    async fn create(
        &self,
        body: &CreateWorker,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Worker>, Failure> {
        self.needs(Operation::CreateWorker)?;
        let created = self.inner.create(body, key).await;
        if let Ok(done) = &created {
            self.own(&done.value.worker_id);
        }
        created
    }

    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure> {
        self.needs(Operation::SendInput)?;
        self.inner.input(worker_id, body, key).await
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Cancelled>, Failure> {
        self.needs(Operation::Cancel)?;
        self.inner.cancel(worker_id, body, key).await
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Stopped>, Failure> {
        self.needs(Operation::Stop)?;
        self.inner.stop(worker_id, body, key).await
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure> {
        self.needs(Operation::Transcript)?;
        self.inner.transcript(worker_id, query).await
    }

    async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure> {
        self.needs(Operation::Events)?;
        self.inner.events(worker_id, cursor).await
    }
}
