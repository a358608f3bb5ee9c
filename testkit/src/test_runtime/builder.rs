//! A [`TestRuntime`] before it starts.

use std::fmt;
use std::sync::Arc;

use worker_runtime::{Executor, ProfileSpec, Runtime, RuntimeBuilder, Store};
use yoi_protocol::{Limits, RuntimeId};

use super::TestRuntime;
use crate::TestStore;
use crate::host::{Server, Token, runtime_id};

/// A [`TestRuntime`] before it starts.
///
/// ```
/// use yoi_protocol::{Code, CreateWorker, Limits};
/// use yoi_testkit::{TestRuntime, TestStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = TestStore::new();
/// let runtime = TestRuntime::builder("gpu-1")
///     .store(store.clone())
///     .limits(Limits { max_workers: 1, ..Limits::default() })
///     .start()
///     .await;
/// let create = || runtime.ask("POST", "/v1/workers").json(&CreateWorker::default());
/// create().await.expect(201);
/// let full = create().await.expect(429);
/// assert_eq!(full.problem().code, Code::LimitReached);
/// assert_eq!(store.records().len(), 1);
/// # }
/// ```
#[must_use = "nothing happens until start()"]
pub struct TestRuntimeBuilder {
    pub(super) id: RuntimeId,
    pub(super) may_panic: bool,
    token: Option<String>,
    limits: Limits,
    runtime: RuntimeBuilder,
    open: Option<Open>,
}

/// Opens the store that a start is to find.
type Open = Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>;

impl TestRuntimeBuilder {
    pub(super) fn new(id: &str) -> Self {
        let id = runtime_id(id);
        Self {
            runtime: Runtime::builder(id.clone()),
            id,
            may_panic: false,
            token: None,
            limits: Limits::default(),
            open: None,
        }
    }

    /// Wants a bearer token from everyone who asks.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// What it bounds, and to what.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.clone();
        self.runtime(|runtime| runtime.limits(limits))
    }

    /// What its Workers run: a profile of the executor's name, and the default one.
    pub fn executor(self, executor: impl Executor + 'static) -> Self {
        let name = executor.name();
        self.runtime(|runtime| {
            runtime
                .profile(name, ProfileSpec::new(executor))
                .default_profile(name)
        })
    }

    /// Where its logs are kept; every start finds what the one before left there. Unless told, it
    /// has a [`TestStore`] of its own that serves as much as its limits say.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        self.store_from(move || Arc::clone(&store))
    }

    /// Where its logs are kept, opened anew by every start: for a store that must be closed by one
    /// before the next may have it.
    pub fn store_from(mut self, open: impl Fn() -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        self.open = Some(Box::new(open));
        self
    }

    /// Lets things panic on its threads: without this they fail the test.
    pub fn may_panic(mut self) -> Self {
        self.may_panic = true;
        self
    }

    /// Anything else that a Runtime can be told. A store goes to [`store`](Self::store), and
    /// limits to [`limits`](Self::limits).
    pub fn runtime(mut self, tell: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        self.runtime = tell(self.runtime);
        self
    }

    /// Starts it, and returns when it takes connections.
    ///
    /// # Panics
    /// When it does not start, with the reason.
    pub async fn start(mut self) -> TestRuntime {
        if self.open.is_none() {
            let (events, bytes) = (self.limits.max_worker_events, self.limits.max_worker_bytes);
            self = self.store(TestStore::bounded(events, bytes));
        }
        let runtime = TestRuntime {
            token: self.token.take().map(Token::new),
            spec: self,
            server: Server::reserve(),
        };
        runtime.restart().await;
        runtime
    }

    /// The Runtime of one start.
    pub(super) fn opened(&self) -> RuntimeBuilder {
        let runtime = self.runtime.clone();
        match &self.open {
            Some(open) => runtime.store(open()),
            None => runtime,
        }
    }
}

impl fmt::Debug for TestRuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntimeBuilder")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
