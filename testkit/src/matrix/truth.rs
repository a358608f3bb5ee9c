//! What commands did in truth, as the Runtime itself says: past the link, and past the Backend.

use worker_runtime::{Runtime, RuntimeError};
use yoi_protocol::{Operation, Role, TranscriptQuery, Worker, WorkerStatus};

use super::ask::worker_of;

/// A Runtime that is asked itself.
pub(super) struct Truth(pub(super) Runtime);

impl Truth {
    /// Whether a command took effect.
    ///
    /// # Panics
    /// When it took effect more than once.
    pub(super) async fn applied(&self, operation: Operation) -> bool {
        let worker = self.worker(operation).await;
        let is = |so: fn(&Worker) -> bool| worker.as_ref().is_some_and(so);
        match operation {
            Operation::CreateWorker => worker.is_some(),
            Operation::SendInput => match self.inputs().await {
                0 => false,
                1 => true,
                inputs => panic!("one input was taken {inputs} times"),
            },
            Operation::Cancel => is(|worker| worker.active_run.is_none()),
            Operation::Stop => is(|worker| worker.status == WorkerStatus::Stopped),
            Operation::ListWorkers
            | Operation::GetWorker
            | Operation::Transcript
            | Operation::Events => panic!("{operation} changes nothing"),
        }
    }

    async fn worker(&self, operation: Operation) -> Option<Worker> {
        match self.0.get_worker(&worker_of(operation)).await {
            Ok(worker) => Some(worker),
            Err(RuntimeError::WorkerNotFound) => None,
            Err(error) => panic!("the Runtime does not say what is true: {error}"),
        }
    }

    async fn inputs(&self) -> usize {
        let worker_id = worker_of(Operation::SendInput);
        let read = self
            .0
            .transcript(&worker_id, &TranscriptQuery::default())
            .await;
        let transcript = read.unwrap_or_else(|error| panic!("{worker_id}: {error}"));
        let is_input = |role: &Role| *role == Role::User;
        let roles = transcript.entries.iter().map(|entry| &entry.role);
        roles.filter(|role| is_input(role)).count()
    }
}
