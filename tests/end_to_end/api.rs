//! The Backend's API as a program would call it, and frames as a page would read them.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;

/// One observation over server-sent events, parsed frame by frame.
pub(crate) struct Watch {
    bytes: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffered: String,
}

/// A client of one server.
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: String,
}

impl Api {
    pub(crate) fn new(base_url: &str) -> Self {
        static PROVIDER: std::sync::Once = std::sync::Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Self {
            http,
            base_url: base_url.to_owned(),
        }
    }

    /// Asks and reads the answer as JSON, with its status.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        Self::read(self.http.get(format!("{}{path}", self.base_url))).await
    }

    /// Commands and reads the answer as JSON, with its status.
    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}{path}", self.base_url))
            .header("content-type", "application/json")
            .body(body.to_string());
        Self::read(request).await
    }

    async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("the answer is whole");
        (
            status,
            serde_json::from_slice(&body).expect("every answer is JSON"),
        )
    }

    /// Observes a Worker over server-sent events.
    pub(crate) async fn watch(&self, path: &str) -> Watch {
        let answer = self
            .http
            .get(format!("{}{path}", self.base_url))
            .send()
            .await
            .expect("the server answers");
        assert_eq!(answer.status().as_u16(), 200);
        Watch {
            bytes: answer.bytes_stream().boxed(),
            buffered: String::new(),
        }
    }
}

impl Watch {
    /// The next frame; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((line, rest)) = self.buffered.split_once('\n') {
                let (line, rest) = (line.trim_end().to_owned(), rest.to_owned());
                self.buffered = rest;
                if let Some(data) = line.strip_prefix("data:") {
                    return Some(serde_json::from_str(data.trim_start()).expect("a frame is JSON"));
                }
            }
            let chunk = self.bytes.next().await?.ok()?;
            self.buffered
                .push_str(std::str::from_utf8(&chunk).expect("frames of these tests are ASCII"));
        }
    }
}
