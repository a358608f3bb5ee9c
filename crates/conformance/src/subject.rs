//! What the checks that need no wire can ask.

use async_trait::async_trait;
use yoi_protocol::{
    CancelRequest, Cancelled, CreateWorker, Cursor, Failure, IdempotencyKey, InputAccepted,
    InputRequest, ListQuery, RawFrame, RuntimeInfo, StopRequest, Stopped, StreamEnd, Transcript,
    TranscriptQuery, Worker, WorkerId, WorkerPage,
};

/// A Runtime, however it is asked: one method per operation, with the contract's bodies, and
/// failures by the contract's codes.
///
/// It should hand on what it is told and try nothing twice: what it hides, no check sees.
#[async_trait]
pub trait Subject: Send + Sync {
    /// What the Runtime says of itself.
    async fn runtime(&self) -> Result<RuntimeInfo, Failure>;

    /// One page of its Workers.
    async fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure>;

    /// One Worker.
    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure>;

    /// Creates a Worker.
    async fn create(
        &self,
        body: &CreateWorker,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Worker>, Failure>;

    /// Sends a Worker an input.
    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure>;

    /// Cancels a Worker's active run, or the one that is named.
    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Cancelled>, Failure>;

    /// Stops a Worker for good.
    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Stopped>, Failure>;

    /// One page of a Worker's transcript.
    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure>;

    /// Observes a Worker, after `cursor` or from a snapshot on.
    async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure>;
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// What was answered.
    pub value: T,
    /// Whether it is the answer of an earlier command under the same key.
    pub replayed: bool,
}

/// One observation. Dropping it ends it.
#[async_trait]
pub trait Frames: Send {
    /// The next frame.
    ///
    /// # Errors
    /// How the observation ended; nothing follows.
    async fn next(&mut self) -> Result<RawFrame, StreamEnd>;
}
