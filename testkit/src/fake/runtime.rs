//! A Runtime that is not there.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use wiremock::{Mock, MockServer, Request};
use yoi_config::{Secret, SecretSource};
use yoi_protocol::{Api, RuntimeId, RuntimeInfo};
use yoi_workspace_server::RemoteSettings;

use super::answer::{self, Answer};
use super::gate::Gate;
use super::shared::Shared;
use super::unexpected::Unexpected;
use super::upgrade::FakeEvents;
use super::{Received, front};
use crate::host::runtime_id;
use crate::{RemoteRuntime, engine, fixtures, verdict};

/// Asked before every stub: who is let in.
const GATE: u8 = 1;
/// Asked when no stub answers: what every fake says of itself.
const ITSELF: u8 = 254;
/// Asked last.
const NOBODY: u8 = 255;

/// A Runtime that is not there: on an address of its own it answers what the test says, and
/// nothing else.
///
/// Only `GET /v1/runtime` is answered of itself: a Backend asks it when it likes. A credential that
/// is wrong and an addressee that is another are refused as by any Runtime. Whatever else comes and
/// no [`Stub`](super::Stub) answers is answered 501, and **fails the test** when the fake is dropped. So does what
/// panics in a stub.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::{Code, InputRequest, WorkerId};
/// use yoi_testkit::{FakeRuntime, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let stub = fake.send_input("w-1").refuses(Code::WorkerBusy).times(1).mount().await;
///
/// let id = WorkerId::parse("w-1").unwrap();
/// let call = Call::default();
/// let refused = backend.workers("gpu-1").input(&id, &InputRequest::new("hi"), &call).await;
///
/// assert_eq!(refused.unwrap_err().failure.code, Code::WorkerBusy);
/// assert_eq!(stub.received()[0].json::<InputRequest>().content, "hi");
/// # }
/// ```
///
/// ```should_panic
/// # use yoi_client::Call;
/// # use yoi_testkit::{FakeRuntime, TestBackend};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let _ = backend.workers("gpu-1").list(&Default::default(), &Call::default()).await;
/// // Dropped here, the fake tells of the list that nobody expected.
/// # }
/// ```
#[must_use = "it ends when this is dropped"]
pub struct FakeRuntime {
    pub(super) shared: Arc<Shared>,
    address: SocketAddr,
    /// Takes connections until this is dropped.
    _front: engine::Task<()>,
}

/// A [`FakeRuntime`] before it starts.
///
/// ```
/// use std::sync::Arc;
/// use yoi_client::{Call, Client, StaticToken};
/// use yoi_testkit::FakeRuntime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::builder("gpu-1")
///     .token("open-sesame")
///     .info(|info| info.limits.max_workers = 1)
///     .start()
///     .await;
/// let credential = Arc::new(StaticToken::new("open-sesame"));
/// let client = Client::builder(&fake.url()).unwrap().credential(credential).build().unwrap();
/// let info = client.runtime_info(&Call::default()).await.unwrap().value;
/// assert_eq!(info.limits.max_workers, 1);
/// # }
/// ```
#[must_use = "nothing happens until start()"]
pub struct FakeRuntimeBuilder {
    gate: Gate,
    info: RuntimeInfo,
}

impl FakeRuntime {
    /// One called `id` that wants no token.
    ///
    /// # Panics
    /// When `id` is no id.
    pub async fn start(id: &str) -> Self {
        Self::builder(id).start().await
    }

    /// One called `id`, to be told more.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn builder(id: &str) -> FakeRuntimeBuilder {
        let id = runtime_id(id);
        let mut info = fixtures::bodies::runtime();
        info.runtime_id = id.clone();
        FakeRuntimeBuilder {
            gate: Gate { id, token: None },
            info,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `GET /v1/workers/{worker_id}/events/ws` of every Worker: those who come wait until they are
    /// taken from here. Before this is called nobody is expected to observe.
    ///
    /// # Panics
    /// When those of an earlier call are still held.
    pub fn events(&self) -> FakeEvents {
        self.shared
            .unexpected
            .mounted("GET /v1/workers/*/events/ws");
        FakeEvents::at(&self.shared)
    }

    /// What came so far and no stub answered, for a test that wants it so: it does not fail the
    /// test any more.
    #[must_use]
    pub fn take_unexpected(&self) -> Vec<Received> {
        self.shared.unexpected.take()
    }

    /// Who was not let in so far: they had not the token, or meant another Runtime. That does not
    /// fail the test, for a Backend with such settings tries when it likes.
    #[must_use]
    pub fn refused(&self) -> Vec<Received> {
        self.shared.unexpected.all_refused()
    }

    /// Ends it here instead of where it is dropped.
    ///
    /// # Panics
    /// When something came that no stub answered, or a stub panicked, with what it was.
    pub fn verify(self) {
        drop(self);
    }
}

impl RemoteRuntime for FakeRuntime {
    fn id(&self) -> &RuntimeId {
        self.shared.id()
    }

    fn remote_settings(&self) -> RemoteSettings {
        let token = self.shared.gate.token.as_deref();
        let mut settings = RemoteSettings::new(self.url());
        settings.token = token.map(|token| Arc::new(SecretSource::fixed(Secret::new(token))));
        settings
    }
}

impl FakeRuntimeBuilder {
    /// Wants a bearer token from everyone who asks, and refuses with `unauthorized` who has none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.gate.token = Some(token.into());
        self
    }

    /// Changes what it says of itself: its capabilities, its limits, its profiles.
    pub fn info(mut self, change: impl FnOnce(&mut RuntimeInfo)) -> Self {
        change(&mut self.info);
        self
    }

    /// Starts it, and returns when it takes connections.
    pub async fn start(self) -> FakeRuntime {
        let Self { gate, info } = self;
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let unexpected = Arc::new(Unexpected::default());
        for mock in [
            refusing(&gate, &unexpected),
            introducing(&gate, &info),
            unstubbed(&unexpected),
        ] {
            server.register(mock).await;
        }
        let shared = Arc::new(Shared {
            gate,
            unexpected,
            door: Mutex::default(),
            server,
        });
        let (listener, address) = engine::run(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.expect("loopback has a free port");
            let address = listener.local_addr().expect("a bound listener has one");
            (listener, address)
        })
        .await;
        FakeRuntime {
            _front: engine::spawn(front::serve(listener, shared.clone())),
            shared,
            address,
        }
    }
}

/// Refuses whoever is not let in.
fn refusing(gate: &Gate, unexpected: &Arc<Unexpected>) -> Mock {
    let (at_the_gate, gate) = (gate.clone(), gate.clone());
    let unexpected = unexpected.clone();
    let given = move |request: &Request| {
        let asked = Received::of_wiremock(request);
        at_the_gate.refusal(&asked).is_some()
    };
    let refuse = move |request: &Request| {
        let asked = Received::of_wiremock(request);
        let answer = gate.answer(&asked).expect("it matched");
        unexpected.refused(asked);
        answer.into_template(None)
    };
    Mock::given(given).respond_with(refuse).with_priority(GATE)
}

/// Says of itself what it was told to.
fn introducing(gate: &Gate, info: &RuntimeInfo) -> Mock {
    let body = serde_json::to_value(info).expect("a Runtime is JSON");
    let id = gate.id.clone();
    let path = Api::Runtime.runtime();
    let given =
        move |request: &Request| request.method.as_str() == "GET" && request.url.path() == path;
    let introduce = move |request: &Request| {
        let answer = Answer::json(200, &body).named_by(&id);
        answer
            .to(&Received::of_wiremock(request))
            .into_template(None)
    };
    Mock::given(given)
        .respond_with(introduce)
        .with_priority(ITSELF)
}

/// Answers what nobody expected, and remembers it.
fn unstubbed(unexpected: &Arc<Unexpected>) -> Mock {
    let unexpected = unexpected.clone();
    let answer = move |request: &Request| {
        unexpected.came(Received::of_wiremock(request));
        answer::unexpected().into_template(None)
    };
    let anything = |_: &Request| true;
    Mock::given(anything)
        .respond_with(answer)
        .with_priority(NOBODY)
}

impl Drop for FakeRuntime {
    fn drop(&mut self) {
        if let Some(told) = self.shared.unexpected.told(self.shared.id().as_str()) {
            verdict::fail(&told);
        }
    }
}

impl fmt::Debug for FakeRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRuntime")
            .field("id", self.shared.id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FakeRuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRuntimeBuilder")
            .field("id", &self.gate.id)
            .finish_non_exhaustive()
    }
}
