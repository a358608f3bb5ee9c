//! A Backend with its server.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use worker_runtime::{Runtime, RuntimeBuilder};
use yoi_client::{Call, Client, ClientBuilder, RetryPolicy, Timeouts, Workers};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::{Api, RuntimeId};
use yoi_workspace_server::{
    Backend, BackendBuilder, CircuitSettings, HttpSettings, Registration, RemoteSettings, serve,
};

use crate::browser::{Asker, Browser};
use crate::host::{Host, Server, Token, built, runtime_id, token_set};
use crate::{RemoteRuntime, RuntimeSite, eventually, in_real_time};

/// A Backend that serves its API on a port of its own, as the process `yoi serve` does, inside the
/// test.
///
/// It has threads of its own, so a test with paused time does not stop it; its typed client waits
/// by the test's clock, though, and such a test asks [`in_real_time`](crate::in_real_time) or with a
/// [`Browser`]. Dropped, it is killed. Whatever panics on its threads fails the test, at the latest when it is dropped.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::CreateWorker;
/// use yoi_testkit::{TestBackend, TestRuntime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").token("open-sesame").start().await;
/// let backend = TestBackend::builder()
///     .embedded("local")
///     .remote(&runtime)
///     .start()
///     .await;
/// for runtime_id in ["local", "gpu-1"] {
///     let created = backend
///         .workers(runtime_id)
///         .create(&CreateWorker::default(), &Call::default())
///         .await
///         .unwrap();
///     assert_eq!(created.value.runtime_id.as_str(), runtime_id);
/// }
/// backend.stop().await;
/// # }
/// ```
#[must_use = "it is killed when this is dropped"]
pub struct TestBackend {
    spec: TestBackendBuilder,
    server: Server,
}

/// A [`TestBackend`] before it starts.
///
/// ```
/// use std::time::Duration;
/// use yoi_client::{RetryPolicy, Timeouts};
/// use yoi_testkit::{RawPeer, Step, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let silent = RawPeer::start("gpu-1", [Step::Hear, Step::Hang]).await;
/// let backend = TestBackend::builder()
///     .remote(&silent)
///     .timeouts(Timeouts { response: Duration::from_millis(50), ..Timeouts::default() })
///     .retry(RetryPolicy::NEVER)
///     .start()
///     .await;
/// let path = "/api/runtimes/gpu-1/workers";
/// backend.browser().ask("GET", path).await.expect(504);
/// # }
/// ```
#[must_use = "nothing happens until start()"]
pub struct TestBackendBuilder {
    backend: BackendBuilder,
    embedded: Vec<(RuntimeId, RuntimeBuilder)>,
    remote: Vec<(RuntimeId, RemoteSettings)>,
    timeouts: Option<Timeouts>,
    retry: Option<RetryPolicy>,
    idle: Option<Duration>,
    circuit: Option<CircuitSettings>,
    tokens: Vec<(String, String)>,
    may_panic: bool,
}

impl TestBackend {
    /// One without a Runtime and without a token, to be told more.
    pub fn builder() -> TestBackendBuilder {
        TestBackendBuilder {
            backend: Backend::builder(),
            embedded: Vec::new(),
            remote: Vec::new(),
            timeouts: None,
            retry: None,
            idle: None,
            circuit: None,
            tokens: Vec::new(),
            may_panic: false,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A client of it, to be told more: it has the address, and the first token if there is one.
    pub fn client_builder(&self) -> ClientBuilder {
        self.server.client_builder(self.token())
    }

    /// A client of it.
    ///
    /// # Panics
    /// Not known to happen.
    #[must_use]
    pub fn client(&self) -> Client {
        built(self.client_builder())
    }

    /// The Workers of one of its Runtimes.
    ///
    /// # Panics
    /// When `id` is no id.
    #[must_use]
    pub fn workers(&self, id: &str) -> Workers {
        self.client().workers(Api::Backend(runtime_id(id)))
    }

    /// Somebody who talks to it, with connections and, if it wants one, the first token.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.client_builder(), Asker::new(self.url(), self.token()))
    }

    /// Waits until it has seen each of its Runtimes, and so knows what they can do. Before that it
    /// does not send a command again whose effect is unknown: the Runtime might not honour keys.
    ///
    /// # Panics
    /// When it has not within 20 seconds, with what it knows.
    pub async fn until_seen(&self) {
        eventually("the Backend has seen its runtimes", async || {
            let client = self.client();
            let known = in_real_time(async move { client.runtimes(&Call::default()).await });
            let known = known.await.map_err(|error| error.to_string())?.value;
            match known.runtimes.iter().all(|entry| entry.boot_id.is_some()) {
                true => Ok(()),
                false => Err(format!("{:?}", known.runtimes)),
            }
        })
        .await;
    }

    /// One of the Runtimes inside it, with its Workers: where [`RuntimeFaults`](crate::RuntimeFaults) commit
    /// faults.
    ///
    /// # Panics
    /// When there is none of that id inside.
    #[must_use]
    pub fn inside(&self, id: &str) -> RuntimeSite {
        let runtime = self.server.inside().get(id);
        let runtime = runtime.unwrap_or_else(|| panic!("there is no runtime {id} inside"));
        RuntimeSite::new(self.workers(id), runtime)
    }

    /// Ends it as SIGTERM does. Returns when nothing of it is left; an observer that does not
    /// listen is waited for.
    ///
    /// # Panics
    /// When it does not end, or something in it panicked.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Ends it as SIGKILL does. Returns when nothing of it is left.
    ///
    /// # Panics
    /// When something in it panicked.
    pub async fn kill(&self) {
        self.server.kill().await;
    }

    /// Starts it again, at the same address and with the same settings and Runtimes, as another
    /// start of the same process: those who observed come back to one that knows nothing of them.
    /// One that still runs is stopped first; for a crash, [`kill`](Self::kill) it before.
    ///
    /// A Runtime inside finds what the store that it was given holds, and nothing if it was given
    /// none. Cursors and pages of the start before are taken if the Backend was given its keys.
    ///
    /// # Panics
    /// As [`stop`](Self::stop), or when it does not start, with the reason.
    pub async fn restart(&self) {
        self.stop().await;
        self.server.runs(self.launch().await);
    }

    fn token(&self) -> Option<String> {
        let first = self.spec.tokens.first();
        first.map(|(_, token)| token.clone())
    }

    #[allow(
        clippy::async_yields_async,
        reason = "the start is over when it can serve; serving is another task"
    )]
    async fn launch(&self) -> Host {
        let spec = &self.spec;
        let links = spec.links().into_iter();
        let mut backend = links.fold(spec.backend.clone(), BackendBuilder::runtime);
        let embedded = spec.embedded.clone();
        let tokens = spec.tokens.iter();
        let tokens = token_set(tokens.map(|(name, token)| (&**name, Token::new(&**token))));
        let address = self.address();
        let inside = self.server.inside().clone();
        let begin = async move |listener, end: CancellationToken| {
            for (id, runtime) in embedded {
                match runtime.start().await {
                    Ok(runtime) => {
                        inside.add(runtime.clone());
                        backend = backend.runtime(Registration::embedded(runtime));
                    }
                    Err(error) => panic!("runtime {id}: {error}"),
                }
            }
            let backend = backend.build().unwrap_or_else(|error| panic!("{error}"));
            let mut settings = HttpSettings::new(guard(address));
            settings.tokens = tokens;
            serve(listener, backend, settings, end.cancelled_owned())
        };
        Host::start("backend".to_owned(), address, spec.may_panic, begin).await
    }
}

impl TestBackendBuilder {
    /// A Runtime inside it, whose Workers echo.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn embedded(self, id: &str) -> Self {
        self.embedded_with(id, |runtime| runtime)
    }

    /// A Runtime inside it, to be told more.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn embedded_with(
        mut self,
        id: &str,
        tell: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        let id = runtime_id(id);
        let runtime = tell(Runtime::builder(id.clone()));
        self.embedded.push((id, runtime));
        self
    }

    /// A Runtime that it reaches over the wire, with the token that it wants: a
    /// [`TestRuntime`](crate::TestRuntime), or what stands in front of one.
    pub fn remote(self, runtime: &(impl RemoteRuntime + ?Sized)) -> Self {
        self.remote_with(runtime.id().as_str(), &runtime.remote_settings())
    }

    /// A double that it reaches over the wire as it would a Runtime: [`remote`](Self::remote),
    /// under the name that tells a reader what is there.
    pub fn fake(self, double: &(impl RemoteRuntime + ?Sized)) -> Self {
        self.remote(double)
    }

    /// A Runtime that it reaches over the wire, or does not reach: it need not be there.
    ///
    /// # Panics
    /// When `id` is no id. Settings that can reach nobody make [`start`](Self::start) panic.
    pub fn remote_with(mut self, id: &str, settings: &RemoteSettings) -> Self {
        self.remote.push((runtime_id(id), settings.clone()));
        self
    }

    /// How long each part of a call to any remote Runtime may take. The contract's times are made
    /// for networks; a test that waits for one to pass wants shorter ones.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// How often a call to any remote Runtime is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// How long an observation of any remote Runtime may be silent before it counts as lost.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// When any remote Runtime is left alone for a while.
    pub fn circuit(mut self, circuit: CircuitSettings) -> Self {
        self.circuit = Some(circuit);
        self
    }

    /// Wants a bearer token from everyone who asks, and knows its holder by `name`.
    pub fn token(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.tokens.push((name.into(), token.into()));
        self
    }

    /// Lets things panic on its threads: without this they fail the test.
    pub fn may_panic(mut self) -> Self {
        self.may_panic = true;
        self
    }

    /// Anything else that a Backend can be told.
    pub fn backend(mut self, tell: impl FnOnce(BackendBuilder) -> BackendBuilder) -> Self {
        self.backend = tell(self.backend);
        self
    }

    /// Starts it, and returns when it takes connections.
    ///
    /// # Panics
    /// When it does not start, with the reason.
    pub async fn start(self) -> TestBackend {
        let backend = TestBackend {
            spec: self,
            server: Server::reserve(),
        };
        backend.restart().await;
        backend
    }

    /// The remote Runtimes, with what holds for all of them.
    fn links(&self) -> Vec<Registration> {
        let link = |(id, settings): &(RuntimeId, RemoteSettings)| {
            let mut settings = settings.clone();
            settings.timeouts = self.timeouts.unwrap_or(settings.timeouts);
            settings.retry = self.retry.unwrap_or(settings.retry);
            settings.idle = self.idle.unwrap_or(settings.idle);
            settings.circuit = self.circuit.unwrap_or(settings.circuit);
            Registration::remote(id.clone(), &settings)
                .unwrap_or_else(|error| panic!("remote runtime {id}: {error}"))
        };
        self.remote.iter().map(link).collect()
    }
}

fn guard(address: SocketAddr) -> OriginGuard {
    let browsers = Browsers::Allowed {
        origins: Vec::new(),
    };
    OriginGuard::new(address, &[], &browsers).expect("no list, no wrong entry")
}

impl fmt::Debug for TestBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestBackend(..)")
    }
}

impl fmt::Debug for TestBackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBackendBuilder")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}
