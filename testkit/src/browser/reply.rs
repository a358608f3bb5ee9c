//! What came back.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use yoi_protocol::Problem;

/// An answer, as it came over the wire.
///
/// Its `Debug` shows all of it, for the panic of a test that expected another.
///
/// ```
/// use yoi_protocol::RuntimeInfo;
/// use yoi_testkit::TestRuntime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").start().await;
/// let reply = runtime.ask("GET", "/v1/runtime").await.expect(200);
/// assert_eq!(reply.header("content-type"), Some("application/json"));
/// assert_eq!(reply.json()["runtime_id"], "gpu-1");
/// assert_eq!(reply.read::<RuntimeInfo>().runtime_id, *runtime.id());
/// # }
/// ```
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Reply {
    /// One header, if it came and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The same answer, if it has this status.
    ///
    /// # Panics
    /// When it has another, with all that came.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body)
            .unwrap_or_else(|error| panic!("not text ({error}): {self:?}"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        self.read()
    }

    /// The body as what it is to be.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no {} ({error}): {self:?}", std::any::type_name::<T>()))
    }

    /// The problem that it is.
    ///
    /// # Panics
    /// When it is none, or is sent as something else.
    #[must_use]
    #[track_caller]
    pub fn problem(&self) -> Problem {
        let kind = self.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{self:?}");
        self.read()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &String::from_utf8_lossy(&self.body))
            .finish()
    }
}
