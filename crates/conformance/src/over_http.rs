//! A Runtime over its wire.

mod server_sent;

use std::fmt;

use async_trait::async_trait;
use yoi_client::{Answer, Call, CallError, Client, FrameStream, Workers};
use yoi_protocol::{
    Api, CancelRequest, Cancelled, CreateWorker, Cursor, Failure, IdempotencyKey, InputAccepted,
    InputRequest, ListQuery, RawFrame, RuntimeInfo, StopRequest, Stopped, StreamEnd, Transcript,
    TranscriptQuery, Worker, WorkerId, WorkerPage,
};

pub(crate) use server_sent::ServerSent;

use crate::subject::{Done, Frames, Subject};

/// A Runtime over its wire, as a client of this project speaks it.
///
/// ```
/// use yoi_client::{Client, RetryPolicy};
/// use yoi_conformance::OverHttp;
///
/// # fn main() -> Result<(), yoi_client::ClientConfigError> {
/// let client = Client::builder("http://127.0.0.1:7401")?
///     .retry(RetryPolicy::NEVER)
///     .build()?;
/// let subject = OverHttp::new(client);
/// # drop(subject);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OverHttp {
    client: Client,
    workers: Workers,
    /// How it is observed, if not over a WebSocket.
    server_sent: Option<ServerSent>,
}

impl OverHttp {
    /// The Runtime that `client` reaches. It should try nothing again, and be told the addressee.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            workers: client.workers(Api::Runtime),
            client,
            server_sent: None,
        }
    }

    /// Observes over server-sent events alone.
    pub(crate) fn observing(mut self, server_sent: ServerSent) -> Self {
        self.server_sent = Some(server_sent);
        self
    }
}

impl fmt::Debug for OverHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_sse = self.server_sent.is_some();
        f.debug_struct("OverHttp")
            .field("server_sent", &is_sse)
            .finish_non_exhaustive()
    }
}

fn call(key: Option<&IdempotencyKey>) -> Call {
    Call {
        key: key.cloned(),
        ..Call::default()
    }
}

fn value<T>(answer: Result<Answer<T>, CallError>) -> Result<T, Failure> {
    Ok(answer?.value)
}

fn done<T>(answer: Result<Answer<T>, CallError>) -> Result<Done<T>, Failure> {
    let Answer {
        value, replayed, ..
    } = answer?;
    Ok(Done { value, replayed })
}

#[async_trait]
impl Subject for OverHttp {
    async fn runtime(&self) -> Result<RuntimeInfo, Failure> {
        value(self.client.runtime_info(&Call::default()).await)
    }

    async fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure> {
        value(self.workers.list(query, &Call::default()).await)
    }

    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure> {
        value(self.workers.get(worker_id, &Call::default()).await)
    }

    async fn create(
        &self,
        body: &CreateWorker,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Worker>, Failure> {
        done(self.workers.create(body, &call(key)).await)
    }

    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure> {
        done(self.workers.input(worker_id, body, &call(key)).await)
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Cancelled>, Failure> {
        done(self.workers.cancel(worker_id, body, &call(key)).await)
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Stopped>, Failure> {
        done(self.workers.stop(worker_id, body, &call(key)).await)
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure> {
        let call = Call::default();
        value(self.workers.transcript(worker_id, query, &call).await)
    }

    async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure> {
        if let Some(server_sent) = &self.server_sent {
            return server_sent.open(worker_id, cursor).await;
        }
        let call = Call::default();
        Ok(Box::new(
            self.workers.events(worker_id, cursor, &call).await?,
        ))
    }
}

#[async_trait]
impl Frames for FrameStream {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        Self::next(self).await
    }
}
