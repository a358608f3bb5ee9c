//! Whoever talks to a Backend.

mod ask;
mod reply;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use yoi_client::{Call, Client, ClientBuilder, FrameStream, Workers};
use yoi_protocol::{Api, Cursor, StreamEnd, WorkerId};

use crate::host::runtime_id;
use crate::{FrameSource, Watcher, engine};

pub(crate) use ask::Asker;
pub use ask::{Ask, PendingRequest};
pub use reply::Reply;

/// Whoever talks to a [`TestBackend`](crate::TestBackend), as far as its API is concerned.
///
/// It asks with a typed client, writes requests itself to see the answers as they stand on the
/// wire, watches Workers, and hangs up in the middle.
///
/// What it asks and watches itself keeps time by the machine's clock. Its typed client waits by that
/// of the test: where time is paused, it is used [`in_real_time`](crate::in_real_time).
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::{Code, InputRequest};
/// use yoi_testkit::TestBackend;
/// # use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let backend = TestBackend::builder().embedded("local").start().await;
/// let browser = backend.browser();
///
/// // As it stands on the wire.
/// let path = "/api/runtimes/local/workers";
/// let created = browser.ask("POST", path).json(&json!({"worker_id": "w-1"})).await.expect(201);
/// assert_eq!(created.json()["status"], "idle");
/// let missing = browser.ask("GET", "/api/runtimes/remote").await.expect(404);
/// assert_eq!(missing.problem().code, Code::RuntimeNotFound);
///
/// // Typed, and watched.
/// let mut watcher = browser.watch("local", "w-1").await;
/// watcher.until_caught_up().await;
/// let (worker, hi) = (created.read::<yoi_protocol::Worker>().worker_id, InputRequest::new("hi"));
/// browser.workers("local").input(&worker, &hi, &Call::default()).await.unwrap();
/// watcher.until_event("run_finished").await;
/// # }
/// ```
pub struct Browser {
    client: Client,
    asker: Asker,
}

impl Browser {
    pub(crate) fn new(client: ClientBuilder, asker: Asker) -> Self {
        let client = client.transport(asker.transport()).build();
        Self {
            client: client.expect("a transport is all that a client needs"),
            asker,
        }
    }

    /// Its typed client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The Workers of one Runtime, typed.
    ///
    /// # Panics
    /// When `runtime` is no id.
    #[must_use]
    pub fn workers(&self, runtime: &str) -> Workers {
        self.client.workers(Api::Backend(runtime_id(runtime)))
    }

    /// A request, to be told more and then awaited.
    ///
    /// # Panics
    /// When `method` is none.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        self.asker.ask(method, path)
    }

    /// Watches a Worker from a snapshot on.
    ///
    /// # Panics
    /// When the stream does not open.
    pub async fn watch(&self, runtime: &str, worker: &str) -> Watcher {
        watch(&self.workers(runtime), worker, None).await
    }

    /// Watches a Worker from where `cursor` was given.
    ///
    /// # Panics
    /// When the stream does not open. A cursor that the server does not take ends the stream
    /// instead.
    ///
    /// ```
    /// use yoi_protocol::{CreateWorker, StopRequest};
    /// use yoi_testkit::TestBackend;
    /// # use yoi_client::Call;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let backend = TestBackend::builder().embedded("local").start().await;
    /// let browser = backend.browser();
    /// let (workers, call) = (browser.workers("local"), Call::default());
    /// let worker = workers.create(&CreateWorker::default(), &call).await.unwrap().value.worker_id;
    ///
    /// let mut watcher = browser.watch("local", worker.as_str()).await;
    /// watcher.until_caught_up().await;
    /// let cursor = watcher.cursor().unwrap().clone();
    /// watcher.hang_up();
    ///
    /// workers.stop(&worker, &StopRequest::default(), &call).await.unwrap();
    /// let mut watcher = browser.resume("local", worker.as_str(), &cursor).await;
    /// watcher.end().await;
    /// assert_eq!(watcher.types().last(), Some(&"worker_stopped"));
    /// assert!(!watcher.types().contains(&"snapshot"));
    /// # }
    /// ```
    pub async fn resume(&self, runtime: &str, worker: &str, cursor: &Cursor) -> Watcher {
        watch(&self.workers(runtime), worker, Some(cursor)).await
    }
}

/// Watches one of these Workers.
pub(crate) async fn watch(workers: &Workers, worker: &str, cursor: Option<&Cursor>) -> Watcher {
    let id = WorkerId::parse(worker).unwrap_or_else(|error| panic!("{worker:?}: {error}"));
    let (workers, cursor) = (workers.clone(), cursor.cloned());
    let opened = engine::run(async move {
        let call = Call::default();
        workers.events(&id, cursor.as_ref(), &call).await
    });
    match opened.await {
        Ok(frames) => Watcher::of(Wire(Arc::new(Mutex::new(frames)))),
        Err(error) => panic!("{worker} cannot be watched: {error}"),
    }
}

/// A stream that is read on the threads of the testkit, so that what its client waits for is told
/// by the machine's clock.
struct Wire(Arc<Mutex<FrameStream>>);

#[async_trait]
impl FrameSource for Wire {
    async fn next_text(&mut self) -> Result<String, StreamEnd> {
        let frames = Arc::clone(&self.0);
        engine::run(async move { frames.lock().await.next_text().await }).await
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser(..)")
    }
}
