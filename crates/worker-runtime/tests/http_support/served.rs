//! A Runtime that is served.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker_runtime::http::{HttpSettings, serve};
use worker_runtime::{Runtime, RuntimeBuilder, Store};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::{Limits, RuntimeId};
use yoi_testkit::{ManualClock, SequentialIds};

use super::documented::assert_documented;
use super::{Answer, Hold, WAIT};

/// What a test wants to be different.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) settings: HttpSettings,
    pub(crate) hold: Hold,
    /// Where it keeps its log, if not in memory.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// Whether it knows the profile `held`.
    pub(crate) knows_held: bool,
    /// Whether ids are counted and time stands still.
    pub(crate) repeatable: bool,
}

/// A Runtime called `rt-test` that is served, with the profiles `echo` (the default) and `held`.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) hold: Hold,
    pub(crate) runtime: Runtime,
    client: Client,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guard = OriginGuard::new(address, &[], &Browsers::Forbidden).unwrap();
        let mut setup = Setup {
            limits: Limits::default(),
            settings: HttpSettings::new(guard),
            hold: Hold::new(),
            store: None,
            knows_held: true,
            repeatable: false,
        };
        change(&mut setup);
        let runtime = builder(&setup).start().await.unwrap();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone().cancelled_owned();
        let serving = tokio::spawn(serve(listener, runtime.clone(), setup.settings, stop));
        Self {
            address,
            hold: setup.hold,
            runtime,
            client: client(),
            shutdown,
            serving,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> reqwest::Response {
        let method: Method = method.parse().unwrap();
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body.to_owned());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let answer = Answer::of(self.send(method, path, headers, body).await).await;
        assert_documented(method, path, &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    /// A Worker with this id.
    pub(crate) async fn worker(&self, id: &str, profile: &str) {
        let body = format!(r#"{{"worker_id":"{id}","profile":"{profile}"}}"#);
        self.post("/v1/workers", &body).await.value(201);
    }

    /// Sends an input and gives the id of the run that it began.
    pub(crate) async fn input(&self, id: &str) -> String {
        let path = format!("/v1/workers/{id}/input");
        let accepted = self.post(&path, r#"{"content":"go"}"#).await.value(202);
        accepted["run_id"].as_str().unwrap().to_owned()
    }

    /// Asks the server to end.
    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits for the server to have ended.
    pub(crate) async fn ended(self) {
        tokio::time::timeout(WAIT, self.serving)
            .await
            .expect("the server should have ended")
            .unwrap();
    }
}

fn builder(setup: &Setup) -> RuntimeBuilder {
    let mut builder = Runtime::builder(RuntimeId::parse("rt-test").unwrap())
        .display_name("Test")
        .limits(setup.limits.clone());
    if setup.knows_held {
        builder = builder.profile("held", setup.hold.profile());
    }
    if let Some(store) = &setup.store {
        builder = builder.store(Arc::clone(store));
    }
    if setup.repeatable {
        builder = builder.ids(SequentialIds::new()).clock(ManualClock::new());
    }
    builder
}

fn client() -> Client {
    // The first test to come installs it; for the others it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .timeout(WAIT + Duration::from_secs(5))
        .build()
        .unwrap()
}
