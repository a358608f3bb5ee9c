//! The operations on Workers, the same for a Runtime and for a Backend.

use yoi_protocol::{
    Api, CancelRequest, Cancelled, CreateWorker, Cursor, InputAccepted, InputRequest, ListQuery,
    Operation, StopRequest, Stopped, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};

use crate::ask::{Ask, list_query, transcript_query};
use crate::{Answer, Call, CallError, Client, FrameStream};

/// The Workers of one Runtime, asked directly or through a Backend.
#[derive(Debug, Clone)]
pub struct Workers {
    client: Client,
    api: Api,
}

impl Workers {
    pub(crate) fn new(client: Client, api: Api) -> Self {
        Self { client, api }
    }

    /// A page of Workers, by rising id.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn list(
        &self,
        query: &ListQuery,
        call: &Call,
    ) -> Result<Answer<WorkerPage>, CallError> {
        let path = format!("{}{}", self.api.workers(), list_query(query));
        self.client
            .fetch(&Ask::read(path, Some(Operation::ListWorkers)), call)
            .await
    }

    /// One Worker.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn get(
        &self,
        worker_id: &WorkerId,
        call: &Call,
    ) -> Result<Answer<Worker>, CallError> {
        let ask = Ask::read(self.api.worker(worker_id), Some(Operation::GetWorker));
        self.client.fetch(&ask, call).await
    }

    /// Creates a Worker.
    ///
    /// # Errors
    /// [`CallError`], as every call; its effect says whether the Worker may exist now.
    pub async fn create(
        &self,
        body: &CreateWorker,
        call: &Call,
    ) -> Result<Answer<Worker>, CallError> {
        let ask = Ask::command(self.api.workers(), Operation::CreateWorker, body);
        self.client.fetch(&ask, call).await
    }

    /// Sends a Worker an input, which begins a run.
    ///
    /// # Errors
    /// [`CallError`], as every call; its effect says whether the run may have begun.
    pub async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        call: &Call,
    ) -> Result<Answer<InputAccepted>, CallError> {
        let ask = Ask::command(self.api.input(worker_id), Operation::SendInput, body);
        match &self.api {
            Api::Runtime => {
                // A Backend's own cursors contain those of its Runtimes, and are bounded, too.
                let fits = |accepted: &InputAccepted| {
                    accepted.cursor.as_str().len() <= Cursor::RUNTIME_MAX
                };
                self.client.fetch_if(&ask, call, fits).await
            }
            Api::Backend(_) => self.client.fetch(&ask, call).await,
        }
    }

    /// Ends a Worker's active run, or the one that the body names.
    ///
    /// # Errors
    /// [`CallError`], as every call; its effect says whether the run may have ended.
    pub async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        call: &Call,
    ) -> Result<Answer<Cancelled>, CallError> {
        let ask = Ask::command(self.api.cancel(worker_id), Operation::Cancel, body);
        self.client.fetch(&ask, call).await
    }

    /// Stops a Worker for good.
    ///
    /// # Errors
    /// [`CallError`], as every call; its effect says whether it may be stopped.
    pub async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        call: &Call,
    ) -> Result<Answer<Stopped>, CallError> {
        let ask = Ask::command(self.api.stop(worker_id), Operation::Stop, body);
        self.client.fetch(&ask, call).await
    }

    /// A page of what was said.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
        call: &Call,
    ) -> Result<Answer<Transcript>, CallError> {
        let path = format!(
            "{}{}",
            self.api.transcript(worker_id),
            transcript_query(query)
        );
        self.client
            .fetch(&Ask::read(path, Some(Operation::Transcript)), call)
            .await
    }

    /// Observes a Worker: from a snapshot, or from all that followed `cursor`.
    ///
    /// The call's deadline and attempts are those of opening the stream; once open it ends by
    /// itself or by being dropped. A Backend opens the stream before it has begun to observe, so
    /// without a cursor only what happens after `caught_up` is sure to come as an event of its
    /// own; what happened before is in the snapshot.
    ///
    /// # Errors
    /// [`CallError`] when the stream does not open; a server that refuses it afterwards ends the
    /// stream instead.
    pub async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
        call: &Call,
    ) -> Result<FrameStream, CallError> {
        let mut path = self.api.events_ws(worker_id);
        if let Some(cursor) = cursor {
            path.push_str("?cursor=");
            path.push_str(cursor.as_str());
        }
        self.client
            .observe(&Ask::read(path, Some(Operation::Events)), call)
            .await
    }
}
