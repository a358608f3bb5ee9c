//! Both servers, with a Worker at each of their Runtimes, asked as nobody's client would ask.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite;
use yoi_client::transport::Request;
use yoi_client::{Call, HttpTransport, Transport as _, Workers};
use yoi_protocol::{Code, CreateWorker, InputRequest, ListQuery, StreamEnd, WorkerId};
use yoi_testkit::{TestBackend, TestRuntime};

/// Longer than any answer takes. A stream that is served although it should be refused lasts so
/// long, once.
const PATIENCE: Duration = Duration::from_secs(20);

const REMOTE: &str = "gpu-1";
const EMBEDDED: &str = "local";

pub(super) struct Place {
    runtime: TestRuntime,
    backend: TestBackend,
    transport: HttpTransport,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    /// Of the problem, or of the diagnostic that ends the stream.
    pub(super) code: Option<Code>,
    pub(super) text: String,
}

impl Place {
    pub(super) async fn start() -> Self {
        let runtime = TestRuntime::builder(REMOTE).start().await;
        let backend = TestBackend::builder()
            .embedded(EMBEDDED)
            .remote(&runtime)
            .start()
            .await;
        let transport = HttpTransport::plain(PATIENCE).unwrap();
        let place = Self {
            runtime,
            backend,
            transport,
        };
        for workers in [place.backend.workers(EMBEDDED), place.runtime.workers()] {
            for id in ["w-1", "w-2"] {
                let body = CreateWorker {
                    worker_id: Some(WorkerId::parse(id).unwrap()),
                    ..CreateWorker::default()
                };
                workers.create(&body, &Call::default()).await.unwrap();
            }
        }
        place
    }

    /// One Worker by each way: at its Runtime, and twice at the Backend.
    pub(super) fn workers(&self) -> [String; 3] {
        let [runtime, remote, embedded, _] = self.lists();
        [runtime, remote, embedded].map(|list| format!("{list}/w-1"))
    }

    pub(super) fn lists(&self) -> [String; 4] {
        let (runtime, backend) = (self.runtime.url(), self.backend.url());
        [
            format!("{runtime}/v1/workers"),
            format!("{backend}/api/runtimes/{REMOTE}/workers"),
            format!("{backend}/api/runtimes/{EMBEDDED}/workers"),
            format!("{backend}/api/workers"),
        ]
    }

    fn clients(&self) -> [Workers; 3] {
        [
            self.runtime.workers(),
            self.backend.workers(REMOTE),
            self.backend.workers(EMBEDDED),
        ]
    }

    /// One that each way has handed out.
    pub(super) async fn cursors(&self) -> Vec<String> {
        let mut cursors = Vec::new();
        for (number, workers) in self.clients().into_iter().enumerate() {
            let id = WorkerId::parse("w-1").unwrap();
            let body = InputRequest::new(number.to_string());
            // The one before may still run.
            let accepted = yoi_testkit::eventually("it takes an input", async || {
                workers.input(&id, &body, &Call::default()).await
            });
            cursors.push(accepted.await.value.cursor.to_string());
        }
        cursors
    }

    /// One that each list has handed out.
    pub(super) async fn pages(&self) -> Vec<String> {
        let query = ListQuery {
            limit: Some(1),
            ..ListQuery::default()
        };
        let mut pages = Vec::new();
        for workers in self.clients() {
            let page = workers.list(&query, &Call::default()).await.unwrap().value;
            pages.push(page.next_page.unwrap().to_string());
        }
        let client = self.backend.client();
        let sweep = client.all_workers(&query, &Call::default()).await.unwrap();
        pages.push(sweep.value.next_page.unwrap().to_string());
        pages
    }

    pub(super) async fn get(&self, url: &str) -> Told {
        self.ask(url, HeaderMap::new()).await
    }

    pub(super) async fn events(&self, base: &str, query: &str, last_id: Option<&str>) -> Told {
        let mut headers = HeaderMap::new();
        if let Some(id) = last_id {
            let id = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            headers.insert("last-event-id", id);
        }
        self.ask(&format!("{base}/events?{query}"), headers).await
    }

    async fn ask(&self, url: &str, headers: HeaderMap) -> Told {
        let request = Request {
            method: Method::GET,
            uri: url.parse().unwrap(),
            headers,
            body: None,
            head_by: Instant::now() + PATIENCE,
        };
        let mut response = self.transport.send(request).await.unwrap();
        let mut body = Vec::new();
        let reading = async {
            while let Some(part) = response.body.next().await {
                body.extend(part.unwrap());
            }
        };
        let is_whole = timeout(PATIENCE, reading).await.is_ok();
        let text = String::from_utf8(body).unwrap();
        assert!(is_whole, "{url}: it is served, and goes on: {text}");
        told(response.status.as_u16(), text)
    }

    pub(super) async fn events_ws(&self, base: &str, query: &str) -> Told {
        let (scheme, rest) = base.split_once("://").unwrap();
        assert_eq!(scheme, "http");
        let (address, _) = rest.split_once('/').unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{rest}/events/ws?{query}");
        let (mut stream, _) = match tokio_tungstenite::client_async(url, socket).await {
            Ok(opened) => opened,
            Err(tungstenite::Error::Http(refused)) => {
                let body = refused.body().clone().unwrap_or_default();
                return told(refused.status().as_u16(), String::from_utf8(body).unwrap());
            }
            Err(error) => panic!("{base}: {error}"),
        };
        let (mut last, mut close) = (String::new(), None);
        let reading = async {
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    tungstenite::Message::Text(text) => last = text.as_str().to_owned(),
                    tungstenite::Message::Close(frame) => close = frame.map(|one| one.code.into()),
                    _ => {}
                }
            }
        };
        let is_over = timeout(PATIENCE, reading).await.is_ok();
        assert!(is_over, "{base}: it is served, and goes on: {last}");
        let told = told(101, format!("data: {last}"));
        if let Some(code) = told.code {
            let end = StreamEnd::Failed(yoi_protocol::Failure::new(code));
            assert_eq!(
                close,
                Some(end.close_code()),
                "the close code is that of {code}"
            );
        }
        told
    }
}

/// Finds the code of a problem, or that of the last frame of a stream.
fn told(status: u16, text: String) -> Told {
    let frame = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("data: "));
    let json: Value = serde_json::from_str(frame.unwrap_or(&text)).unwrap_or_default();
    let code = json.pointer("/diagnostic/code").or(json.get("code"));
    let code = code.and_then(|code| serde_json::from_value::<Code>(code.clone()).ok());
    if let Some(code) = code.filter(|_| status >= 400) {
        assert_eq!(code.status(), status, "{text}");
    }
    Told { status, code, text }
}
