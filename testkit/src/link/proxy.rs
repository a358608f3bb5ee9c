//! A link that can go wrong.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use yoi_client::{Client, ClientBuilder, Perspective, StaticToken};
use yoi_protocol::RuntimeId;
use yoi_workspace_server::RemoteSettings;

use super::connection::Connection;
use super::credential::Credential;
use super::detour::Detour;
use super::shared::Shared;
use super::{Exchange, InjectedFault, door};
use crate::engine::{self, Task};
use crate::fault::{Deed, Injection};
use crate::{Family, RemoteRuntime};

/// How late something is that is late but in time, unless a test says so.
const SLOW: Duration = Duration::from_millis(20);

/// Stands between a Backend and a Runtime, real or fake, and lets one [`Fault`](crate::Fault) after
/// another happen to what passes. As long as none is injected it changes nothing that a caller
/// could notice.
///
/// Each connection carries one request, so that none hides behind a connection that stood before.
/// A Runtime that is gone is a connection that is reset: the proxy itself is still there. Faults
/// that spoil a whole answer do not happen to server-sent events, which no Backend asks for.
///
/// What is left to chance, such as the byte at which an answer is cut, follows from a
/// [`seed`](Self::seed), from what is asked, and from how often that was asked before: so requests
/// that come at the same time do not disturb each other. A test that fails while a fault is
/// injected says the seed; `YOI_TESTKIT_SEED` repeats it.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::{CreateWorker, Effect, ListQuery, Operation, Reason};
/// use yoi_testkit::{Fault, FaultProxy, TestBackend, TestRuntime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").start().await;
/// let link = FaultProxy::to(&runtime).await;
/// let backend = TestBackend::builder().remote(&link).start().await;
/// let workers = backend.workers("gpu-1");
///
/// let fault = link.inject(Fault::NotHttp.on(Operation::CreateWorker));
/// let error = workers.create(&CreateWorker::default(), &Call::default()).await.unwrap_err();
/// assert_eq!(error.failure.effect, Effect::Unknown);
/// fault.undo();
///
/// // The answer was lost, and the Worker was not.
/// let page = workers.list(&ListQuery::default(), &Call::default()).await.unwrap().value;
/// assert_eq!(page.workers.len(), 1);
/// # }
/// ```
#[must_use = "it ends when this is dropped"]
pub struct FaultProxy {
    settings: RemoteSettings,
    address: SocketAddr,
    shared: Arc<Shared>,
    credential: Arc<Credential>,
    _accepting: Task<()>,
}

/// A [`FaultProxy`] before it starts.
///
/// ```
/// use std::time::Duration;
/// use yoi_client::RetryPolicy;
/// use yoi_testkit::{FaultProxy, TestRuntime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").start().await;
/// let link = FaultProxy::builder(&runtime)
///     .settings(|backend| {
///         backend.retry = RetryPolicy::NEVER;
///         backend.timeouts.response = Duration::from_millis(200);
///     })
///     .seed(7)
///     .start()
///     .await;
/// # let _ = link;
/// # }
/// ```
#[must_use = "nothing happens until start()"]
pub struct FaultProxyBuilder {
    runtime_id: RuntimeId,
    settings: RemoteSettings,
    seed: Option<u64>,
    slow: Duration,
}

impl FaultProxy {
    /// One in front of `runtime`.
    ///
    /// # Panics
    /// As [`FaultProxyBuilder::start`].
    pub async fn to(runtime: &impl RemoteRuntime) -> Self {
        Self::builder(runtime).start().await
    }

    /// One in front of `runtime`, to be told more.
    pub fn builder(runtime: &impl RemoteRuntime) -> FaultProxyBuilder {
        FaultProxyBuilder {
            runtime_id: runtime.id().clone(),
            settings: runtime.remote_settings(),
            seed: None,
            slow: SLOW,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets a fault happen from now on, until the guard is dropped. Of several the first that was
    /// injected happens to a request.
    ///
    /// # Panics
    /// For a fault inside the Runtime: a proxy cannot commit it, [`RuntimeFaults`](crate::RuntimeFaults) can.
    pub fn inject(&self, injection: impl Into<Injection>) -> InjectedFault {
        let injection = injection.into();
        let fault = injection.fault;
        assert!(
            fault.family() != Family::Runtime,
            "{fault} happens inside a Runtime, not on the link to it: see RuntimeFaults"
        );
        if matches!(fault.deed(), Deed::Rotated) {
            self.credential.rotate();
        }
        InjectedFault::new(Arc::clone(&self.shared), injection)
    }

    /// What chance follows here: [`FaultProxyBuilder::seed`] with this does the same again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges()
    }

    /// A client that takes this link as a Backend does, to be told more: with the credential, the
    /// addressee, and failures in a Backend's words.
    pub fn client_builder(&self) -> ClientBuilder {
        let settings = self.remote_settings();
        let mut builder = Client::builder(&settings.base_url)
            .expect("the URL of a test is one")
            .addressee(self.shared.runtime_id.clone())
            .perspective(Perspective::Link)
            .timeouts(settings.timeouts)
            .retry(settings.retry)
            .idle(settings.idle);
        if let Some(transport) = settings.transport {
            builder = builder.transport(transport);
        }
        match settings.token {
            Some(token) => builder.credential(Arc::new(StaticToken::new(token.current().expose()))),
            None => builder,
        }
    }
}

impl RemoteRuntime for FaultProxy {
    fn id(&self) -> &RuntimeId {
        &self.shared.runtime_id
    }

    fn remote_settings(&self) -> RemoteSettings {
        let connect = self.settings.timeouts.connect;
        let detour = Detour::new(Arc::clone(&self.shared), self.address, connect);
        RemoteSettings {
            base_url: format!("http://{}", self.address),
            token: Some(self.credential.source()),
            transport: Some(Arc::new(detour)),
            ..self.settings.clone()
        }
    }
}

impl FaultProxyBuilder {
    /// How a Backend takes this link: timeouts, retries, patience with a silent stream. What is
    /// said of the address, the token and the transport does not count.
    pub fn settings(mut self, tell: impl FnOnce(&mut RemoteSettings)) -> Self {
        tell(&mut self.settings);
        self
    }

    /// What chance follows; `YOI_TESTKIT_SEED` unless said, or a new one each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How late something is that is late but in time: 20 ms unless said.
    pub fn slow(mut self, slow: Duration) -> Self {
        self.slow = slow;
        self
    }

    /// Starts it, and returns when it takes connections.
    ///
    /// # Panics
    /// When the Runtime is not at an `http://` address of its own, or `YOI_TESTKIT_SEED` is no
    /// number.
    pub async fn start(self) -> FaultProxy {
        let runtime = self.settings.base_url.strip_prefix("http://");
        let runtime = runtime.map(|rest| rest.trim_end_matches('/').to_owned());
        let runtime = runtime
            .filter(|authority| !authority.contains('/'))
            .unwrap_or_else(|| {
                panic!(
                    "a proxy stands in front of http://host:port, not {}",
                    self.settings.base_url
                )
            });
        let seed = self.seed.unwrap_or_else(seed);
        let shared = Arc::new(Shared::new(self.runtime_id, seed, self.slow));
        let real = self.settings.token.as_ref();
        let real = real.map(|token| token.current().expose().to_owned());
        let credential = Arc::new(Credential::new(real));
        let connection = Connection {
            runtime: runtime.into(),
            shared: Arc::clone(&shared),
            credential: Arc::clone(&credential),
        };
        let listener = engine::run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has one");
        FaultProxy {
            settings: self.settings,
            address,
            shared,
            credential,
            _accepting: engine::spawn(accept(listener, connection)),
        }
    }
}

fn seed() -> u64 {
    match std::env::var("YOI_TESTKIT_SEED") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("YOI_TESTKIT_SEED is no number: {text:?}")),
        Err(_) => fastrand::u64(..),
    }
}

/// Takes connections until it is dropped, and all of them with it.
async fn accept(listener: TcpListener, connection: Connection) {
    let mut open = JoinSet::new();
    loop {
        let stream = door::next(&listener).await;
        open.spawn(engine::minded(connection.clone().serve(stream)));
        while open.try_join_next().is_some() {}
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("runtime_id", &self.shared.runtime_id)
            .field("seed", &self.shared.seed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FaultProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxyBuilder")
            .field("runtime_id", &self.runtime_id)
            .finish_non_exhaustive()
    }
}
