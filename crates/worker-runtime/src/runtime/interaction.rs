//! Interaction: what a Worker is told, and what was said.

use yoi_protocol::{
    CancelRequest, Cancelled, InputAccepted, InputRequest, Transcript, TranscriptQuery, WorkerId,
};

use super::{Applied, CommandContext, Runtime};
use crate::error::RuntimeError;

impl Runtime {
    /// Takes an input and begins its run. Answers once both are committed.
    ///
    /// # Errors
    /// `PayloadTooLarge`, `WorkerNotFound`, `WorkerBusy`, `WorkerStopped`, `LimitReached`, and
    /// what any command may answer.
    pub async fn send_input(
        &self,
        worker_id: &WorkerId,
        request: InputRequest,
        context: CommandContext,
    ) -> Result<Applied<InputAccepted>, RuntimeError> {
        let _ = (worker_id, request, context);
        Err(RuntimeError::Unavailable)
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
        let _ = (worker_id, request, context);
        Err(RuntimeError::Unavailable)
    }

    /// One page of what was said, as far as it is retained.
    ///
    /// # Errors
    /// `InvalidRequest` at `/limit`, `WorkerNotFound`, `StoreFailed`.
    pub async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, RuntimeError> {
        let _ = (worker_id, query);
        Err(RuntimeError::Unavailable)
    }
}
