//! A Runtime with its server.

mod builder;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use worker_runtime::Runtime;
use worker_runtime::http::{self, HttpSettings};
use yoi_client::{Client, ClientBuilder, Workers};
use yoi_config::{Secret, SecretSource};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::{Api, Cursor, RuntimeId};
use yoi_workspace_server::RemoteSettings;

use crate::browser::{Ask, Asker, watch};
use crate::host::{Host, Server, Token, built, token_set};
use crate::{RemoteRuntime, Watcher};

pub use builder::TestRuntimeBuilder;

/// A Runtime that serves HTTP and WebSockets on a port of its own, as the process
/// `worker-runtime` does, inside the test.
///
/// It has threads of its own, so a test with paused time does not stop it; its typed client waits
/// by the test's clock, though, and such a test asks [`in_real_time`](crate::in_real_time). Dropped,
/// it is killed. Whatever panics on its threads fails the test, at the latest when it is dropped.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::CreateWorker;
/// use yoi_testkit::TestRuntime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").start().await;
/// let (workers, call) = (runtime.workers(), Call::default());
/// let worker = workers.create(&CreateWorker::default(), &call).await.unwrap().value;
///
/// runtime.kill().await;
/// assert!(workers.get(&worker.worker_id, &call).await.is_err());
///
/// // What was acknowledged is there again, at the same address.
/// runtime.restart().await;
/// assert_eq!(workers.get(&worker.worker_id, &call).await.unwrap().value, worker);
/// runtime.stop().await;
/// # }
/// ```
#[must_use = "it is killed when this is dropped"]
pub struct TestRuntime {
    spec: TestRuntimeBuilder,
    token: Option<Token>,
    server: Server,
}

impl TestRuntime {
    /// One called `test`, whose Workers echo, without a token.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::builder("test").start().await
    }

    /// One called `id`, to be told more.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn builder(id: &str) -> TestRuntimeBuilder {
        TestRuntimeBuilder::new(id)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &RuntimeId {
        &self.spec.id
    }

    /// Where it listens, whenever it runs.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The token that it takes now, if it wants one.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        self.token.as_ref().map(Token::get)
    }

    /// Takes another token from now on, and the old one no more. Whoever holds the old one is not
    /// told: a Backend built before keeps sending it.
    ///
    /// # Panics
    /// When it wants none.
    ///
    /// ```
    /// use yoi_testkit::TestRuntime;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runtime = TestRuntime::builder("gpu-1").token("open-sesame").start().await;
    /// let stale = runtime.ask("GET", "/v1/runtime");
    /// runtime.rotate_token("shut-sesame");
    /// stale.await.expect(401);
    /// runtime.ask("GET", "/v1/runtime").await.expect(200);
    /// # }
    /// ```
    pub fn rotate_token(&self, token: impl Into<String>) {
        let held = self.token.as_ref();
        held.expect("a runtime whose token changes was built with token()")
            .set(token.into());
    }

    /// A client of it, to be told more: it has the address, the addressee and the token.
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = self.server.client_builder(self.token());
        builder.addressee(self.id().clone())
    }

    /// A client of it.
    ///
    /// # Panics
    /// Not known to happen.
    #[must_use]
    pub fn client(&self) -> Client {
        built(self.client_builder())
    }

    /// Its Workers, as its own API has them.
    #[must_use]
    pub fn workers(&self) -> Workers {
        self.client().workers(Api::Runtime)
    }

    /// The Runtime itself, as a library has it, past its server; `None` when it does not run. It is
    /// that of the present start: a restart makes another.
    #[must_use]
    pub fn runtime(&self) -> Option<Runtime> {
        self.server.inside().get(self.id().as_str())
    }

    /// A request to it that the test writes itself, to be told more and then awaited.
    ///
    /// # Panics
    /// When `method` is none.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Asker::new(self.url(), self.token()).ask(method, path)
    }

    /// Watches a Worker, from where `cursor` was given or else from a snapshot on.
    ///
    /// # Panics
    /// When the stream does not open.
    pub async fn watch(&self, worker: &str, cursor: Option<&Cursor>) -> Watcher {
        watch(&self.workers(), worker, cursor).await
    }

    /// Ends it as SIGTERM does: commands in flight finish, runs are interrupted, observers are
    /// told `draining`. Returns when nothing of it is left; at once when it does not run.
    ///
    /// # Panics
    /// When it does not end, or something in it panicked.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Ends it as SIGKILL does: its connections are cut and nothing is said. Returns when nothing
    /// of it is left; at once when it does not run.
    ///
    /// # Panics
    /// When something in it panicked.
    pub async fn kill(&self) {
        self.server.kill().await;
    }

    /// Starts it again, with the same id, address and settings and what its store holds, as
    /// another start of the same process: its boot id is new. One that still runs is stopped
    /// first; for a crash, [`kill`](Self::kill) it before.
    ///
    /// # Panics
    /// As [`stop`](Self::stop), or when it does not start, with the reason.
    pub async fn restart(&self) {
        self.stop().await;
        self.server.runs(self.launch().await);
    }

    #[allow(
        clippy::async_yields_async,
        reason = "the start is over when it can serve; serving is another task"
    )]
    async fn launch(&self) -> Host {
        let address = self.address();
        let runtime = self.spec.opened();
        let held = self.token.iter().map(|token| ("test", token.clone()));
        let tokens = token_set(held);
        let inside = self.server.inside().clone();
        Host::start(
            format!("runtime {}", self.id()),
            address,
            self.spec.may_panic,
            async move |listener, end| {
                let runtime = match runtime.start().await {
                    Ok(runtime) => runtime,
                    Err(error) => panic!("{error}"),
                };
                inside.add(runtime.clone());
                let mut settings = HttpSettings::new(guard(address));
                settings.tokens = tokens;
                http::serve(listener, runtime, settings, end.cancelled_owned())
            },
        )
        .await
    }
}

impl RemoteRuntime for TestRuntime {
    fn id(&self) -> &RuntimeId {
        self.id()
    }

    fn remote_settings(&self) -> RemoteSettings {
        let mut settings = RemoteSettings::new(self.url());
        settings.token = self
            .token()
            .map(|token| Arc::new(SecretSource::fixed(Secret::new(token))));
        settings
    }
}

fn guard(address: SocketAddr) -> OriginGuard {
    OriginGuard::new(address, &[], &Browsers::Forbidden).expect("no list, no wrong entry")
}

impl fmt::Debug for TestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntime")
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}
