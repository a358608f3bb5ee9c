//! The contract over a handle: what a Backend relies on, whichever way it reaches a Runtime.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use yoi_conformance::{Bench, Done, Frames, Report, Subject, semantics};
use yoi_protocol::{
    CancelRequest, Cancelled, CreateWorker, Cursor, Failure, IdempotencyKey, InputAccepted,
    InputRequest, ListQuery, RawFrame, RuntimeInfo, StopRequest, Stopped, StreamEnd, Transcript,
    TranscriptQuery, Worker, WorkerId, WorkerPage,
};
use yoi_workspace_server::{Applied, CallContext, ForwardedKey, RuntimeHandle, Upstream};

/// Runs every check that needs no wire over a handle, and stops the Workers that they made.
///
/// `profile` is what Workers run whose runs end by themselves; `long_profile` one whose runs last
/// until they are ended, best after having said something.
///
/// # Panics
/// When the handle's Runtime does not say what it is.
///
/// ```
/// use std::sync::Arc;
///
/// use worker_runtime::Runtime;
/// use yoi_protocol::RuntimeId;
/// use yoi_testkit::contract::handle;
/// use yoi_workspace_server::Embedded;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let id = RuntimeId::parse("local").unwrap();
/// let runtime = Runtime::builder(id).start().await.unwrap();
/// let report = handle::check(Arc::new(Embedded::new(runtime)), "echo", None).await;
/// // Without a profile that lasts, some is skipped; nothing may fail.
/// assert_eq!(report.failed().count(), 0);
/// # }
/// ```
pub async fn check(
    handle: Arc<dyn RuntimeHandle>,
    profile: &str,
    long_profile: Option<&str>,
) -> Report {
    let subject: Arc<dyn Subject> = Arc::new(OverHandle::new(handle));
    let bench = match Bench::new(subject).await {
        Ok(bench) => bench.profile(profile),
        Err(failure) => panic!("the handle's runtime does not say what it is: {failure}"),
    };
    let bench = match long_profile {
        Some(long_profile) => bench.long_profile(long_profile),
        None => bench,
    };
    let checks = semantics::run(&bench).await;
    Report::new(Some(bench.info()), checks).leaving(bench.left_behind().await)
}

/// A handle as a [`Subject`], for who wants single checks.
///
/// ```
/// use std::sync::Arc;
/// use worker_runtime::Runtime;
/// use yoi_protocol::RuntimeId;
/// use yoi_testkit::contract::Bench;
/// use yoi_testkit::contract::handle::OverHandle;
/// use yoi_workspace_server::Embedded;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = Runtime::builder(RuntimeId::parse("local").unwrap()).start().await.unwrap();
/// let subject = OverHandle::new(Arc::new(Embedded::new(runtime)));
/// let bench = Bench::new(Arc::new(subject)).await.unwrap().profile("echo");
/// assert_eq!(bench.info().runtime_id.as_str(), "local");
/// # }
/// ```
#[derive(Clone)]
pub struct OverHandle {
    handle: Arc<dyn RuntimeHandle>,
}

impl OverHandle {
    /// The Runtime behind `handle`.
    #[must_use]
    pub fn new(handle: Arc<dyn RuntimeHandle>) -> Self {
        Self { handle }
    }
}

/// As a Backend calls for a caller who sent this key.
fn call(key: Option<&IdempotencyKey>) -> CallContext {
    CallContext {
        key: key.map(|key| ForwardedKey {
            key: key.clone(),
            from_caller: true,
            honoured: true,
        }),
        ..CallContext::default()
    }
}

fn done<T>(applied: Applied<T>) -> Done<T> {
    Done {
        value: applied.value,
        replayed: applied.replayed,
    }
}

#[async_trait]
impl Subject for OverHandle {
    async fn runtime(&self) -> Result<RuntimeInfo, Failure> {
        self.handle.runtime(&call(None)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure> {
        self.handle.list_workers(query, &call(None)).await
    }

    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure> {
        self.handle.get_worker(worker_id, &call(None)).await
    }

    async fn create(
        &self,
        body: &CreateWorker,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Worker>, Failure> {
        let created = self.handle.create_worker(body.clone(), &call(key)).await;
        created.map(done)
    }

    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure> {
        let call = call(key);
        let accepted = self.handle.send_input(worker_id, body.clone(), &call).await;
        accepted.map(done)
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Cancelled>, Failure> {
        let call = call(key);
        let cancelled = self.handle.cancel(worker_id, body.clone(), &call).await;
        cancelled.map(done)
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Stopped>, Failure> {
        let call = call(key);
        let stopped = self.handle.stop(worker_id, body.clone(), &call).await;
        stopped.map(done)
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure> {
        self.handle.transcript(worker_id, query, &call(None)).await
    }

    async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure> {
        let upstream = self.handle.observe(worker_id, cursor, &call(None)).await?;
        Ok(Box::new(Observed(upstream)))
    }
}

struct Observed(Box<dyn Upstream>);

#[async_trait]
impl Frames for Observed {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        self.0.next().await
    }
}

impl fmt::Debug for OverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverHandle").finish_non_exhaustive()
    }
}
