//! A Backend to be asked, with Runtimes whose runs say what the test tells them to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tower::ServiceExt;
use worker_runtime::{ProfileSpec, Runtime};
use yoi_client::RetryPolicy;
use yoi_config::{Secret, SecretSource};
use yoi_http_kit::{Browsers, Drain, OriginGuard, ServeOptions, Server};
use yoi_protocol::{Limits, RuntimeId};
use yoi_testkit::{RemoteRuntime, Script, ScriptedExecutor, TestRuntime};
use yoi_workspace_server::{
    Backend, BackendBuilder, CircuitSettings, HttpSettings, PresenceSettings, Registration,
    RemoteSettings, router,
};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn id(text: &str) -> RuntimeId {
    RuntimeId::parse(text).unwrap()
}

/// Presence that only moves when a test says so.
pub(crate) const STILL: PresenceSettings = PresenceSettings {
    every: Duration::from_secs(86_400),
    stale_after: Duration::from_secs(86_400),
};

/// A Runtime inside, and what its runs say.
pub(crate) async fn embedded(name: &str) -> (Runtime, Script) {
    let (executor, script) = ScriptedExecutor::new();
    let runtime = Runtime::builder(id(name))
        .profile("scripted", ProfileSpec::new(executor))
        .default_profile("scripted")
        .limits(limits())
        .start()
        .await
        .unwrap();
    (runtime, script)
}

/// A Runtime outside, and what its runs say. Its token is `remote-token`.
pub(crate) async fn remote(name: &str) -> (TestRuntime, Script) {
    let (executor, script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder(name)
        .token("remote-token")
        .executor(executor)
        .limits(limits())
        .start()
        .await;
    (runtime, script)
}

fn limits() -> Limits {
    Limits {
        max_input_bytes: 1000,
        ..Limits::default()
    }
}

/// The settings for a Runtime outside: one attempt, however many failed before.
pub(crate) fn settings(url: &str, token: &str) -> RemoteSettings {
    let mut settings = RemoteSettings::new(url);
    settings.retry = RetryPolicy::NEVER;
    settings.circuit = CircuitSettings::NEVER;
    settings.token = Some(Arc::new(SecretSource::fixed(Secret::new(token))));
    settings
}

/// The same of one that runs, or of what stands in for one.
pub(crate) fn once(runtime: &impl RemoteRuntime) -> RemoteSettings {
    RemoteSettings {
        retry: RetryPolicy::NEVER,
        circuit: CircuitSettings::NEVER,
        ..runtime.remote_settings()
    }
}

pub(crate) fn registered(runtime: &impl RemoteRuntime) -> Registration {
    Registration::remote(runtime.id().clone(), &once(runtime)).unwrap()
}

/// The settings of a Backend at this address.
pub(crate) fn http_settings(address: SocketAddr) -> HttpSettings {
    let browsers = Browsers::Allowed {
        origins: Vec::new(),
    };
    HttpSettings::new(OriginGuard::new(address, &[], &browsers).unwrap())
}

/// A Backend that is served.
pub(crate) struct Served {
    pub(crate) backend: Backend,
    pub(crate) router: Router,
    pub(crate) drain: Drain,
    pub(crate) address: SocketAddr,
}

impl Served {
    pub(crate) async fn start(builder: BackendBuilder) -> Self {
        Self::with(builder.presence(STILL), |_| {}).await
    }

    /// A Backend over this Runtime alone.
    pub(crate) async fn over(runtime: Registration) -> Self {
        Self::start(Backend::builder().runtime(runtime)).await
    }

    pub(crate) async fn with(
        builder: BackendBuilder,
        change: impl FnOnce(&mut HttpSettings),
    ) -> Self {
        let backend = builder.build().unwrap();
        backend.probe().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut settings = http_settings(address);
        change(&mut settings);
        let drain = Drain::new();
        let router = router(backend.clone(), &settings, &drain);
        let server = Server::from_listener(listener);
        tokio::spawn(server.serve(router.clone(), ServeOptions::default(), drain.clone()));
        Self {
            backend,
            router,
            drain,
            address,
        }
    }

    /// Asks by method and path, with headers and perhaps a JSON body.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                if !headers.iter().any(|(name, _)| *name == "content-type") {
                    request = request.header("content-type", "application/json");
                }
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let asking = self.router.clone().oneshot(request.body(body).unwrap());
        let response = timeout(PATIENCE, asking).await.expect("no answer").unwrap();
        let (parts, body) = response.into_parts();
        let bytes = timeout(PATIENCE, body.collect())
            .await
            .expect("the body does not end")
            .unwrap()
            .to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, &[], Some(&body)).await
    }

    /// Creates a Worker and gives its path.
    pub(crate) async fn create(&self, runtime: &str, worker: &str) -> String {
        let path = format!("/api/runtimes/{runtime}/workers");
        let body = serde_json::json!({"worker_id": worker});
        let reply = self.post(&path, body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        format!("{path}/{worker}")
    }

    /// Sends an input that is taken; `path` is the Worker's.
    pub(crate) async fn input(&self, path: &str) -> Reply {
        let body = serde_json::json!({"content": "go"});
        let reply = self.post(&format!("{path}/input"), body).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        reply
    }

    /// Watches over a WebSocket; `path` is the Worker's, `query` what follows.
    pub(crate) async fn watch(&self, path: &str, query: &str) -> Watcher {
        Watcher::open(self.address, path, query).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.drain.close(tokio::time::Instant::now());
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    /// `status code origin effect`, for those who compare only that.
    pub(crate) fn brief(&self) -> String {
        let field = |name: &str| self.body[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            self.status,
            field("code"),
            field("origin"),
            field("effect")
        )
    }
}

/// The `seq` of all events, having looked that none is missing between them.
pub(crate) fn dense(frames: &[Value]) -> Vec<u64> {
    let seqs = frames.iter().filter_map(|frame| frame["seq"].as_u64());
    let seqs: Vec<_> = seqs.collect();
    assert!(
        seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{seqs:?}"
    );
    seqs
}

/// Somebody who watches, and sees what is on the wire: the JSON to the letter, and the close code.
/// A client, and so the testkit's Watcher, would see what it makes of them.
pub(crate) struct Watcher {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

/// What a watcher gets.
#[derive(Debug)]
pub(crate) enum Seen {
    Frame(Value),
    Closed(u16, String),
}

impl Watcher {
    pub(crate) async fn open(address: SocketAddr, path: &str, query: &str) -> Self {
        let url = format!("ws://{address}{path}/events/ws{query}");
        let stream = TcpStream::connect(address).await.unwrap();
        let request = url.into_client_request().unwrap();
        let opening = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = timeout(PATIENCE, opening).await.unwrap().unwrap();
        Self { socket }
    }

    pub(crate) async fn see(&mut self) -> Seen {
        loop {
            let next = timeout(PATIENCE, self.socket.next())
                .await
                .expect("nothing came");
            match next.expect("the socket ended without a close").unwrap() {
                Message::Text(text) => return Seen::Frame(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(close)) => {
                    return Seen::Closed(close.code.into(), close.reason.to_string());
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        match self.see().await {
            Seen::Frame(frame) => frame,
            Seen::Closed(code, reason) => panic!("closed with {code} {reason}"),
        }
    }

    /// All frames up to and with the first that fits.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let found = fits(&frame);
            frames.push(frame);
            if found {
                return frames;
            }
        }
    }

    pub(crate) async fn until_caught_up(&mut self) -> Vec<Value> {
        self.until_control("caught_up").await
    }

    /// Until it is told that the Runtime is lost, and how.
    pub(crate) async fn until_lost(&mut self) -> String {
        let frames = self.until_control("upstream_lost").await;
        let code = frames.last().unwrap()["control"]["code"].as_str();
        code.unwrap().to_owned()
    }

    pub(crate) async fn until_control(&mut self, name: &str) -> Vec<Value> {
        self.until(|frame| frame["control"]["type"] == name).await
    }

    pub(crate) async fn until_event(&mut self, name: &str) -> Vec<Value> {
        self.until(|frame| frame["event"]["type"] == name).await
    }

    /// All that comes until the close, and its code.
    pub(crate) async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match self.see().await {
                Seen::Frame(frame) => frames.push(frame),
                Seen::Closed(code, _) => return (frames, code),
            }
        }
    }

    /// The code of the final diagnostic, and the close code.
    pub(crate) async fn end(&mut self) -> (Option<String>, u16) {
        let (frames, close) = self.rest().await;
        let code = frames
            .last()
            .and_then(|frame| frame["diagnostic"]["code"].as_str());
        (code.map(str::to_owned), close)
    }
}
