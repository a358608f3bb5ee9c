//! One request, as a fake received it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use yoi_protocol::{Operation, RequestId, header};

use crate::link::head::{self, Head};

/// The headers that show a credential.
const CREDENTIALS: &[&str] = &["authorization", "cookie"];
/// How much of a body a panic shows, in characters.
const SHOWN: usize = 2000;

/// A request that reached a [`FakeRuntime`](super::FakeRuntime).
///
/// Shown by `Debug` and `Display` without its credential.
///
/// ```
/// use yoi_testkit::{FakeRuntime, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let listed = fake.list_workers().mount().await;
/// backend.browser().ask("GET", "/api/runtimes/gpu-1/workers?limit=7").await.expect(200);
///
/// let request = &listed.received()[0];
/// assert_eq!((request.method(), request.path()), ("GET", "/v1/workers"));
/// assert_eq!(request.query("limit"), Some("7"));
/// assert_eq!(request.header("cookie"), None);
/// # }
/// ```
#[derive(Clone)]
pub struct Received {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    request_id: RequestId,
}

impl Received {
    pub(super) fn of_wiremock(request: &wiremock::Request) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        let query = request.url.query().map(|query| format!("?{query}"));
        let target = format!("{}{}", request.url.path(), query.unwrap_or_default());
        let method = request.method.to_string();
        Self::of(method, target, headers.collect(), request.body.clone())
    }

    pub(super) fn of_head(head: &Head) -> Self {
        let headers = head.headers();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (method, target) = (head.method().to_owned(), head.target().to_owned());
        Self::of(method, target, headers.collect(), Vec::new())
    }

    fn of(method: String, target: String, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let named = headers.iter().find(|(name, _)| name == header::REQUEST_ID);
        let named = named.and_then(|(_, id)| RequestId::parse(id).ok());
        Self {
            method,
            target,
            headers,
            body,
            request_id: named.unwrap_or_else(minted),
        }
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its query, as it was sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, as it was sent: what the contract puts there needs no escapes.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// The body, as it was sent.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as a type of the contract.
    ///
    /// # Panics
    /// When it is not one, with the request and the place.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// What it asks for, where that is an operation on Workers.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        head::operation(&self.method, &self.target)
    }

    /// The id under which it is answered: that of the caller, or one that the fake made, as a
    /// Runtime does for a request without a well-formed one.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    pub(super) fn maybe_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

fn minted() -> RequestId {
    RequestId::parse(&format!("req-{}", Uuid::now_v7())).expect("a UUID is safe in a URL")
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)?;
        for (name, value) in &self.headers {
            let value = match CREDENTIALS.contains(&name.as_str()) {
                true => "[not shown]",
                false => value,
            };
            write!(f, "\n    {name}: {value}")?;
        }
        if !self.body.is_empty() {
            let body = String::from_utf8_lossy(&self.body);
            write!(f, "\n    {}", body.chars().take(SHOWN).collect::<String>())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
