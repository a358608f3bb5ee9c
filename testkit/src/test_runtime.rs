//! A Runtime with its server.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use worker_runtime::http::{self, HttpSettings};
use worker_runtime::{Executor, ProfileSpec, Runtime, RuntimeBuilder};
use yoi_client::{Client, ClientBuilder, StaticToken, Workers};
use yoi_config::{Secret, SecretSource};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::{Api, Limits, RuntimeId};
use yoi_workspace_server::RemoteSettings;

use crate::RemoteRuntime;
use crate::host::{Host, runtime_id, token_set};

/// A Runtime that serves HTTP and WebSockets on a port of its own, as the process
/// `worker-runtime` does, inside the test.
///
/// It has threads of its own, so a test with paused time does not stop it. Dropped, it is killed.
///
/// ```
/// use yoi_client::Call;
/// use yoi_testkit::TestRuntime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::start().await;
/// let info = runtime.client().runtime_info(&Call::default()).await.unwrap().value;
/// assert_eq!(&info.runtime_id, runtime.id());
/// runtime.stop().await;
/// # }
/// ```
pub struct TestRuntime {
    id: RuntimeId,
    token: Option<String>,
    host: Host,
}

/// A [`TestRuntime`] before it starts.
#[must_use = "nothing happens until start()"]
pub struct TestRuntimeBuilder {
    id: RuntimeId,
    token: Option<String>,
    runtime: RuntimeBuilder,
}

impl TestRuntime {
    /// One called `test`, whose Workers echo, with a memory store and no token.
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
        let id = runtime_id(id);
        TestRuntimeBuilder {
            runtime: Runtime::builder(id.clone()),
            token: None,
            id,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &RuntimeId {
        &self.id
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The token that it takes, if it wants one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A client of it, to be told more: it has the address, the addressee and the token.
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder(&self.url())
            .expect("the URL of a test is one")
            .addressee(self.id.clone());
        match &self.token {
            Some(token) => builder.credential(Arc::new(StaticToken::new(token.as_str()))),
            None => builder,
        }
    }

    /// A client of it.
    ///
    /// # Panics
    /// Not known to happen.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_builder()
            .build()
            .expect("plain HTTP needs nothing of the machine")
    }

    /// Its Workers, as its own API has them.
    #[must_use]
    pub fn workers(&self) -> Workers {
        self.client().workers(Api::Runtime)
    }

    /// Ends it as SIGTERM does: commands in flight finish, runs are interrupted, observers are
    /// told `draining`. Returns when it has ended.
    ///
    /// # Panics
    /// When it does not end, or something in it panicked.
    pub async fn stop(self) {
        self.host.stop().await;
    }

    /// Ends it as SIGKILL does: its connections are cut and nothing is said. Returns when its port
    /// is closed.
    pub async fn kill(self) {
        self.host.kill().await;
    }
}

impl RemoteRuntime for TestRuntime {
    fn id(&self) -> &RuntimeId {
        &self.id
    }

    fn remote_settings(&self) -> RemoteSettings {
        let token = self.token.as_deref();
        let mut settings = RemoteSettings::new(self.url());
        settings.token = token.map(|token| Arc::new(SecretSource::fixed(Secret::new(token))));
        settings
    }
}

impl TestRuntimeBuilder {
    /// Wants a bearer token from everyone who asks.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// What it bounds, and to what.
    pub fn limits(self, limits: Limits) -> Self {
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

    /// Anything else that a Runtime can be told.
    pub fn runtime(mut self, tell: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        self.runtime = tell(self.runtime);
        self
    }

    /// Starts it, and returns when it takes connections.
    ///
    /// # Panics
    /// When it does not start, with the reason.
    #[allow(
        clippy::async_yields_async,
        reason = "the start is over when it can serve; serving is another task"
    )]
    pub async fn start(self) -> TestRuntime {
        let Self { id, token, runtime } = self;
        let tokens = token_set(token.iter().map(|token| ("test", &**token)));
        let host = Host::start(
            format!("runtime {id}"),
            async move |listener, address, end| {
                let runtime = match runtime.start().await {
                    Ok(runtime) => runtime,
                    Err(error) => panic!("{error}"),
                };
                let mut settings = HttpSettings::new(guard(address));
                settings.tokens = tokens;
                http::serve(listener, runtime, settings, end.cancelled_owned())
            },
        )
        .await;
        TestRuntime { id, token, host }
    }
}

fn guard(address: SocketAddr) -> OriginGuard {
    OriginGuard::new(address, &[], &Browsers::Forbidden).expect("no list, no wrong entry")
}

impl fmt::Debug for TestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntime")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TestRuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntimeBuilder")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
