//! Catalog and lifecycle: which Workers there are, and how they come and go.

use yoi_protocol::{CreateWorker, ListQuery, StopRequest, Stopped, Worker, WorkerId, WorkerPage};

use super::{Applied, CommandContext, Runtime};
use crate::error::RuntimeError;

impl Runtime {
    /// One page of Workers, by rising id. A Worker that exists throughout is neither skipped nor
    /// repeated from page to page.
    ///
    /// # Errors
    /// `InvalidRequest` at `/limit` or `/page`.
    pub async fn list_workers(&self, query: &ListQuery) -> Result<WorkerPage, RuntimeError> {
        let _ = query;
        Err(RuntimeError::Unavailable)
    }

    /// One Worker.
    ///
    /// # Errors
    /// `WorkerNotFound`.
    pub async fn get_worker(&self, worker_id: &WorkerId) -> Result<Worker, RuntimeError> {
        let _ = worker_id;
        Err(RuntimeError::Unavailable)
    }

    /// Creates a Worker, idle.
    ///
    /// # Errors
    /// `InvalidRequest`, `OperationUnsupported`, `WorkerAlreadyExists`, `LimitReached`, and what
    /// any command may answer.
    pub async fn create_worker(
        &self,
        request: CreateWorker,
        context: CommandContext,
    ) -> Result<Applied<Worker>, RuntimeError> {
        let _ = (request, context);
        Err(RuntimeError::Unavailable)
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
        let _ = (worker_id, request, context);
        Err(RuntimeError::Unavailable)
    }
}
