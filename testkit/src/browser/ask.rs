//! A request that a test writes itself.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use yoi_client::transport::{Request, TransportFault};
use yoi_client::{HttpTransport, Transport};

use super::Reply;
use crate::engine::{self, Task};
use crate::patience::PATIENCE;

/// A request that a test writes itself, to see the answer as it stands on the wire.
///
/// Awaited, it is sent and gives the [`Reply`]. Nothing is tried again and nothing is judged. It
/// keeps time by the machine's clock, also where the test has paused its own.
///
/// ```
/// use yoi_protocol::Code;
/// use yoi_testkit::TestBackend;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let backend = TestBackend::builder().embedded("local").token("ops", "open-sesame").start().await;
/// let browser = backend.browser();
///
/// browser.ask("GET", "/api/runtimes").await.expect(200);
/// let stranger = browser.ask("GET", "/api/runtimes").anonymous().await.expect(401);
/// assert_eq!(stranger.problem().code, Code::Unauthorized);
/// let other = browser.ask("POST", "/api/runtimes/local/workers").header("content-type", "text/plain");
/// other.body("{}").await.expect(415);
/// # }
/// ```
#[must_use = "a request that is not awaited is not sent"]
pub struct Ask {
    transport: Arc<HttpTransport>,
    method: Method,
    base: String,
    path: String,
    headers: HeaderMap,
    body: Option<Bytes>,
}

/// A request that is under way.
///
/// Dropped, it is hung up on: the connection is cut, whatever its server makes of it.
///
/// ```
/// use std::time::Duration;
/// use yoi_testkit::{FakeRuntime, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let slow = fake.get_worker("w-1").after(Duration::from_secs(60)).mount().await;
///
/// let begun = backend.browser().ask("GET", "/api/runtimes/gpu-1/workers/w-1").begin();
/// slow.until_asked(1).await;
/// begun.hang_up().await;
/// # }
/// ```
#[must_use = "a request that is let go of is hung up on"]
pub struct PendingRequest {
    what: String,
    exchange: Task<Result<Reply, TransportFault>>,
}

/// Whom a test asks.
pub(crate) struct Asker {
    base: String,
    token: Option<String>,
    transport: Arc<HttpTransport>,
}

impl Asker {
    pub(crate) fn new(base: String, token: Option<String>) -> Self {
        let transport = HttpTransport::plain(PATIENCE);
        Self {
            base,
            token,
            transport: Arc::new(transport.expect("plain HTTP needs nothing of the machine")),
        }
    }

    /// The way there, for whoever asks beside it.
    pub(crate) fn transport(&self) -> Arc<HttpTransport> {
        Arc::clone(&self.transport)
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        let method = Method::from_bytes(method.as_bytes());
        let ask = Ask {
            transport: Arc::clone(&self.transport),
            method: method.unwrap_or_else(|error| panic!("{error}")),
            base: self.base.clone(),
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
        };
        match &self.token {
            Some(token) => ask.header(AUTHORIZATION.as_str(), &format!("Bearer {token}")),
            None => ask,
        }
    }
}

impl Ask {
    /// With this header, in place of any of its name.
    ///
    /// # Panics
    /// When that is no header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let header = HeaderName::try_from(name)
            .ok()
            .zip(HeaderValue::try_from(value).ok());
        let (name, value) = header.unwrap_or_else(|| panic!("no header: {name:?}: {value:?}"));
        self.headers.insert(name, value);
        self
    }

    /// Without the credential that the test has.
    pub fn anonymous(mut self) -> Self {
        self.headers.remove(AUTHORIZATION);
        self
    }

    /// With this body, as it is and with no type.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With this body, as JSON.
    ///
    /// # Panics
    /// When it cannot be written as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        let text = serde_json::to_vec(body).unwrap_or_else(|error| panic!("no JSON: {error}"));
        self.header(CONTENT_TYPE.as_str(), "application/json")
            .body(text)
    }

    /// Sends it, and gives what came back, or how nothing did.
    ///
    /// # Errors
    /// What happened on the way.
    ///
    /// # Panics
    /// When the path is none.
    pub async fn send(self) -> Result<Reply, TransportFault> {
        engine::run(self.exchange()).await
    }

    async fn exchange(self) -> Result<Reply, TransportFault> {
        let address = format!("{}{}", self.base, self.path);
        let by = Instant::now() + PATIENCE;
        let request = Request {
            method: self.method,
            uri: Uri::try_from(&address).unwrap_or_else(|error| panic!("{address}: {error}")),
            headers: self.headers,
            body: self.body,
            head_by: by,
        };
        let response = self.transport.send(request).await?;
        let pieces = timeout_at(by, response.body.try_collect::<Vec<Bytes>>());
        let pieces = pieces
            .await
            .unwrap_or_else(|_| panic!("{address}: the body did not end within {PATIENCE:?}"));
        Ok(Reply {
            status: response.status.as_u16(),
            headers: response.headers,
            body: pieces?.concat().into(),
        })
    }

    /// Sends it in the background, so that the test can act meanwhile, or hang up.
    pub fn begin(self) -> PendingRequest {
        PendingRequest {
            what: self.what(),
            exchange: engine::spawn(self.exchange()),
        }
    }

    fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl IntoFuture for Ask {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let what = self.what();
        Box::pin(async move { answered(&what, self.send().await) })
    }
}

impl PendingRequest {
    /// Whether it was answered, or cannot be any more, so that there is nobody to hang up on.
    ///
    /// ```
    /// use yoi_testkit::{TestBackend, eventually};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let backend = TestBackend::builder().embedded("local").start().await;
    /// let begun = backend.browser().ask("GET", "/healthz").begin();
    /// eventually("an answer", async || match begun.is_over() {
    ///     true => Ok(()),
    ///     false => Err("none yet"),
    /// })
    /// .await;
    /// begun.reply().await.expect(200);
    /// # }
    /// ```
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.exchange.is_over()
    }

    /// What came back.
    ///
    /// # Panics
    /// When nothing did.
    pub async fn reply(mut self) -> Reply {
        let exchange = self.exchange.ended().await;
        answered(&self.what, exchange.expect("asking does not panic"))
    }

    /// Cuts the connection without waiting for an answer, and returns when that is done.
    ///
    /// # Panics
    /// When it was answered already: then nobody was hung up on.
    pub async fn hang_up(mut self) {
        self.exchange.abort();
        if let Ok(answered) = self.exchange.ended().await {
            panic!(
                "{} was over before it was hung up on: {answered:?}",
                self.what
            );
        }
    }
}

fn answered(what: &str, answer: Result<Reply, TransportFault>) -> Reply {
    answer.unwrap_or_else(|fault| panic!("{what} was not answered: {fault}"))
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ask").field(&self.what()).finish()
    }
}

impl fmt::Debug for PendingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingRequest").field(&self.what).finish()
    }
}
