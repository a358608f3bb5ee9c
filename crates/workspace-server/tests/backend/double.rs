//! A Runtime inside whose handle counts who observes, and misbehaves in the one place that a test
//! names.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use worker_runtime::Runtime;
use yoi_protocol::{
    CancelRequest, Cancelled, CircuitView, CreateWorker, Cursor, Failure, InputAccepted,
    InputRequest, ListQuery, RawFrame, RuntimeInfo, Source, StopRequest, Stopped, StreamEnd,
    Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};
use yoi_workspace_server::{Applied, CallContext, Embedded, Registration, RuntimeHandle, Upstream};

type Call<'a> = &'a CallContext;
type Observe = dyn Fn() -> Box<dyn Upstream> + Send + Sync;
type PassOn = dyn Fn(Box<dyn Upstream>) -> Result<Box<dyn Upstream>, Failure> + Send + Sync;

/// Does what the Runtime does, but for what it is told.
pub(crate) struct Double {
    inner: Embedded,
    counts: Arc<Counts>,
    observe: Option<Box<Observe>>,
    pass_on: Option<Box<PassOn>>,
    stop_panics: Option<&'static str>,
}

/// The observations at a Runtime.
#[derive(Default)]
pub(crate) struct Counts {
    opened: AtomicUsize,
    open: AtomicUsize,
}

impl Counts {
    /// How many there were so far.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Double {
    pub(crate) fn of(runtime: Runtime) -> Self {
        Self {
            inner: Embedded::new(runtime),
            counts: Arc::default(),
            observe: None,
            pass_on: None,
            stop_panics: None,
        }
    }

    pub(crate) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Whoever observes gets this instead.
    pub(crate) fn observed<U: Upstream + 'static>(
        mut self,
        upstream: impl Fn() -> U + Send + Sync + 'static,
    ) -> Self {
        self.observe = Some(Box::new(move || Box::new(upstream())));
        self
    }

    /// Whoever observes gets what becomes of the Runtime's own.
    pub(crate) fn passed_on(
        mut self,
        pass_on: impl Fn(Box<dyn Upstream>) -> Result<Box<dyn Upstream>, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.pass_on = Some(Box::new(pass_on));
        self
    }

    /// A stop panics with these words.
    pub(crate) fn stop_panics(mut self, words: &'static str) -> Self {
        self.stop_panics = Some(words);
        self
    }

    pub(crate) fn registered(self, name: &str) -> Registration {
        Registration::custom(crate::support::id(name), Source::Embedded, Arc::new(self))
    }
}

/// One observation, for as long as it is held.
struct Counted {
    inner: Box<dyn Upstream>,
    counts: Arc<Counts>,
}

impl Counted {
    fn new(inner: Box<dyn Upstream>, counts: &Arc<Counts>) -> Self {
        counts.opened.fetch_add(1, Ordering::SeqCst);
        counts.open.fetch_add(1, Ordering::SeqCst);
        let counts = Arc::clone(counts);
        Self { inner, counts }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Upstream for Counted {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        self.inner.next().await
    }
}

/// Tells what it was given, and then nothing more.
pub(crate) struct Told(VecDeque<Result<RawFrame, StreamEnd>>);

impl Told {
    pub(crate) fn new(items: impl IntoIterator<Item = Result<Value, StreamEnd>>) -> Self {
        let parsed = items.into_iter();
        Self(
            parsed
                .map(|item| item.map(|frame| RawFrame::parse(&frame.to_string()).unwrap()))
                .collect(),
        )
    }

    /// Nothing at all.
    pub(crate) fn nothing() -> Self {
        Self::new([])
    }
}

#[async_trait]
impl Upstream for Told {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        match self.0.pop_front() {
            Some(next) => next,
            None => std::future::pending().await,
        }
    }
}

/// An event of the Worker `w-1`.
pub(crate) fn event(seq: u64, event: Value) -> Value {
    json!({"kind": "event", "seq": seq, "cursor": format!("c{seq}"), "worker_id": "w-1",
        "at": "2026-01-01T00:00:00.000Z", "event": event})
}

pub(crate) fn snapshot() -> Value {
    event(1, json!({"type": "snapshot"}))
}

pub(crate) fn caught_up() -> Value {
    json!({"kind": "control", "control": {"type": "caught_up"}})
}

#[async_trait]
impl RuntimeHandle for Double {
    fn circuit(&self) -> Option<CircuitView> {
        self.inner.circuit()
    }
    async fn runtime(&self, call: Call<'_>) -> Result<RuntimeInfo, Failure> {
        self.inner.runtime(call).await
    }
    async fn list_workers(&self, query: &ListQuery, call: Call<'_>) -> Result<WorkerPage, Failure> {
        self.inner.list_workers(query, call).await
    }
    async fn get_worker(&self, id: &WorkerId, call: Call<'_>) -> Result<Worker, Failure> {
        self.inner.get_worker(id, call).await
    }
    async fn create_worker(
        &self,
        body: CreateWorker,
        call: Call<'_>,
    ) -> Result<Applied<Worker>, Failure> {
        self.inner.create_worker(body, call).await
    }
    async fn send_input(
        &self,
        id: &WorkerId,
        body: InputRequest,
        call: Call<'_>,
    ) -> Result<Applied<InputAccepted>, Failure> {
        self.inner.send_input(id, body, call).await
    }
    async fn cancel(
        &self,
        id: &WorkerId,
        body: CancelRequest,
        call: Call<'_>,
    ) -> Result<Applied<Cancelled>, Failure> {
        self.inner.cancel(id, body, call).await
    }
    async fn stop(
        &self,
        id: &WorkerId,
        body: StopRequest,
        call: Call<'_>,
    ) -> Result<Applied<Stopped>, Failure> {
        if let Some(words) = self.stop_panics {
            panic!("{words}");
        }
        self.inner.stop(id, body, call).await
    }
    async fn transcript(
        &self,
        id: &WorkerId,
        query: &TranscriptQuery,
        call: Call<'_>,
    ) -> Result<Transcript, Failure> {
        self.inner.transcript(id, query, call).await
    }
    async fn observe(
        &self,
        id: &WorkerId,
        cursor: Option<&Cursor>,
        call: Call<'_>,
    ) -> Result<Box<dyn Upstream>, Failure> {
        let inner = match &self.observe {
            Some(observe) => observe(),
            None => self.inner.observe(id, cursor, call).await?,
        };
        let inner = match &self.pass_on {
            Some(pass_on) => pass_on(inner)?,
            None => inner,
        };
        Ok(Box::new(Counted::new(inner, &self.counts)))
    }
}
