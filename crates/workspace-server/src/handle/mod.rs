//! A handle is a Runtime: one method per operation, the same over a library and over a wire.
//!
//! Everything above (registry, fan-in, observation, API) cannot tell which one it has.

pub(crate) mod embedded;
pub(crate) mod remote;

use async_trait::async_trait;
use tokio::time::Instant;
use yoi_protocol::{
    CancelRequest, Cancelled, CircuitView, Code, CreateWorker, Cursor, Effect, Failure,
    IdempotencyKey, InputAccepted, InputRequest, ListQuery, Origin, RawFrame, RequestId,
    RuntimeInfo, StopRequest, Stopped, StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId,
    WorkerPage,
};

pub use embedded::Embedded;
pub use remote::{BulkheadSettings, CircuitSettings, Remote, RemoteError, RemoteSettings};
pub use worker_runtime::Applied;

/// What goes along with every call to a Runtime.
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    /// When nobody waits any longer.
    pub deadline: Option<Instant>,
    /// The request, to be the same in the Runtime's logs.
    pub request_id: Option<RequestId>,
    /// The trace, to be continued.
    pub traceparent: Option<String>,
    /// Names the command; none for reads and for Runtimes that take none.
    pub key: Option<ForwardedKey>,
}

/// The idempotency key of a command, as the Runtime gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedKey {
    /// The key: a hash of the caller's, or one that was minted.
    pub key: IdempotencyKey,
    /// Whether the caller sent one.
    pub from_caller: bool,
    /// Whether the Runtime is known to honour keys. Only then may a command whose effect is
    /// unknown be sent again.
    pub honoured: bool,
}

/// One Runtime, however it is reached.
///
/// Errors are the contract's codes as its link table says them, with origin and effect; an
/// embedded Runtime's take the same rows. No method asks anything before it acts.
#[async_trait]
pub trait RuntimeHandle: Send + Sync {
    /// Whether the Runtime is asked at all; `None` where it always is.
    fn circuit(&self) -> Option<CircuitView>;

    /// What the Runtime says of itself.
    async fn runtime(&self, call: &CallContext) -> Result<RuntimeInfo, Failure>;

    /// One page of its Workers.
    async fn list_workers(
        &self,
        query: &ListQuery,
        call: &CallContext,
    ) -> Result<WorkerPage, Failure>;

    /// One Worker.
    async fn get_worker(&self, worker_id: &WorkerId, call: &CallContext)
    -> Result<Worker, Failure>;

    /// Creates a Worker.
    async fn create_worker(
        &self,
        body: CreateWorker,
        call: &CallContext,
    ) -> Result<Applied<Worker>, Failure>;

    /// Sends a Worker an input.
    async fn send_input(
        &self,
        worker_id: &WorkerId,
        body: InputRequest,
        call: &CallContext,
    ) -> Result<Applied<InputAccepted>, Failure>;

    /// Cancels a Worker's active run.
    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: CancelRequest,
        call: &CallContext,
    ) -> Result<Applied<Cancelled>, Failure>;

    /// Stops a Worker for good.
    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: StopRequest,
        call: &CallContext,
    ) -> Result<Applied<Stopped>, Failure>;

    /// One page of a Worker's transcript.
    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
        call: &CallContext,
    ) -> Result<Transcript, Failure>;

    /// Observes a Worker, after `cursor` or from a snapshot on.
    async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
        call: &CallContext,
    ) -> Result<Box<dyn Upstream>, Failure>;
}

/// One observation at a Runtime. Dropping it ends it.
#[async_trait]
pub trait Upstream: Send {
    /// The next frame. Cancel-safe: a call that is dropped loses no frame.
    ///
    /// # Errors
    /// How the observation ended; nothing follows.
    async fn next(&mut self) -> Result<RawFrame, StreamEnd>;
}

/// What a Runtime said is not the contract, and nobody knows what it did.
pub(crate) fn protocol_error() -> Failure {
    Failure::new(Code::RuntimeProtocolError)
        .by(Origin::Runtime)
        .with_effect(Effect::Unknown)
}
