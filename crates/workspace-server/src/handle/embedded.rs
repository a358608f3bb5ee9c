//! A Runtime inside this process: direct calls.

use std::future::Future;

use async_trait::async_trait;
use tokio::time::timeout_at;
use worker_runtime::{CommandContext, Observation, Runtime, RuntimeError};
use yoi_client::classify::passed_on;
use yoi_protocol::{
    CancelRequest, Cancelled, Capability, CircuitView, Code, CreateWorker, Cursor, Failure,
    InputAccepted, InputRequest, ListQuery, Origin, RawFrame, RuntimeInfo, StopRequest, Stopped,
    StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};

use super::{Applied, CallContext, RuntimeHandle, Upstream, protocol_error};

/// A Runtime inside this process.
#[derive(Clone)]
pub struct Embedded {
    runtime: Runtime,
}

impl Embedded {
    /// A handle to a Runtime that runs. Whoever started it drains it.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }
}

/// The row of the link table for what a library says: the same as for what a wire says.
fn failure(error: &RuntimeError) -> Failure {
    passed_on(error.failure())
}

/// A read that gives up when nobody waits any longer. Commands do that themselves: once begun
/// they are carried to their end.
async fn read<T>(
    call: &CallContext,
    reading: impl Future<Output = Result<T, RuntimeError>> + Send,
) -> Result<T, Failure> {
    let result = match call.deadline {
        None => reading.await,
        Some(deadline) => timeout_at(deadline, reading)
            .await
            .map_err(|_| Failure::new(Code::TimedOut).by(Origin::Runtime))?,
    };
    result.map_err(|error| failure(&error))
}

fn command(call: &CallContext) -> CommandContext {
    CommandContext {
        key: call.key.as_ref().map(|forwarded| forwarded.key.clone()),
        deadline: call.deadline,
    }
}

#[async_trait]
impl RuntimeHandle for Embedded {
    /// There is no link that could be cut.
    fn circuit(&self) -> Option<CircuitView> {
        None
    }

    async fn runtime(&self, _call: &CallContext) -> Result<RuntimeInfo, Failure> {
        let mut info = self.runtime.info();
        // What the wire of a remote Runtime says of itself: through a Backend both ways are open.
        let ways = [Capability::EVENTS_WS, Capability::EVENTS_SSE];
        info.capabilities.retain(|one| !ways.contains(one));
        info.capabilities.extend(ways);
        Ok(info)
    }

    async fn list_workers(
        &self,
        query: &ListQuery,
        call: &CallContext,
    ) -> Result<WorkerPage, Failure> {
        read(call, self.runtime.list_workers(query)).await
    }

    async fn get_worker(
        &self,
        worker_id: &WorkerId,
        call: &CallContext,
    ) -> Result<Worker, Failure> {
        read(call, self.runtime.get_worker(worker_id)).await
    }

    async fn create_worker(
        &self,
        body: CreateWorker,
        call: &CallContext,
    ) -> Result<Applied<Worker>, Failure> {
        let created = self.runtime.create_worker(body, command(call)).await;
        created.map_err(|error| failure(&error))
    }

    async fn send_input(
        &self,
        worker_id: &WorkerId,
        body: InputRequest,
        call: &CallContext,
    ) -> Result<Applied<InputAccepted>, Failure> {
        let accepted = self
            .runtime
            .send_input(worker_id, body, command(call))
            .await;
        accepted.map_err(|error| failure(&error))
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: CancelRequest,
        call: &CallContext,
    ) -> Result<Applied<Cancelled>, Failure> {
        let cancelled = self.runtime.cancel(worker_id, body, command(call)).await;
        cancelled.map_err(|error| failure(&error))
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: StopRequest,
        call: &CallContext,
    ) -> Result<Applied<Stopped>, Failure> {
        let stopped = self
            .runtime
            .stop_worker(worker_id, body, command(call))
            .await;
        stopped.map_err(|error| failure(&error))
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
        call: &CallContext,
    ) -> Result<Transcript, Failure> {
        read(call, self.runtime.transcript(worker_id, query)).await
    }

    async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
        call: &CallContext,
    ) -> Result<Box<dyn Upstream>, Failure> {
        let cursor = cursor.map(Cursor::as_str);
        let observation = read(call, self.runtime.observe(worker_id, cursor)).await?;
        Ok(Box::new(EmbeddedUpstream(observation)))
    }
}

struct EmbeddedUpstream(Observation);

#[async_trait]
impl Upstream for EmbeddedUpstream {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        match self.0.next().await {
            Ok(frame) => std::str::from_utf8(&frame.text)
                .ok()
                .and_then(|text| RawFrame::parse(text).ok())
                .ok_or_else(|| StreamEnd::Failed(protocol_error())),
            Err(StreamEnd::Failed(failure)) => Err(StreamEnd::Failed(passed_on(failure))),
            Err(end) => Err(end),
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Embedded").field(self.runtime.id()).finish()
    }
}
