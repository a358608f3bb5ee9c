//! What a test tells its store: how reads go, how commits fail, and whether they wait.

use tokio::sync::watch;
use worker_runtime::StoreError;

/// How reads of a [`TestStore`](crate::TestStore) go: of events, of entries, and of answers.
///
/// ```
/// use worker_runtime::{Runtime, StoreError};
/// use yoi_protocol::{CreateWorker, RuntimeId, TranscriptQuery};
/// use yoi_testkit::{Reads, TestStore};
/// # use worker_runtime::CommandContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = TestStore::new();
/// let id = RuntimeId::parse("local").unwrap();
/// let runtime = Runtime::builder(id).store(store.clone()).start().await.unwrap();
/// let created = runtime.create_worker(CreateWorker::default(), CommandContext::default()).await;
/// let worker = created.unwrap().value.worker_id;
///
/// store.read(Reads::Fail(StoreError::Damaged("a flipped bit".into())));
/// assert!(runtime.transcript(&worker, &TranscriptQuery::default()).await.is_err());
/// assert_eq!(store.told(), 1);
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reads {
    /// As they should.
    #[default]
    Well,
    /// They never return.
    Hang,
    /// They fail so.
    Fail(StoreError),
}

/// How commits fail.
#[derive(Debug, Clone)]
pub(super) struct Fail {
    pub(super) error: StoreError,
    /// Only the next.
    pub(super) once: bool,
    /// The record is there nevertheless, for whoever reopens the store.
    pub(super) keeps: bool,
}

/// Whether commits wait, and how many do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) on: bool,
    pub(super) waiting: usize,
}

/// One commit that waits; none any more when it is dropped, so that a Runtime that is killed
/// meanwhile leaves none behind.
pub(super) struct Waiting<'a>(&'a watch::Sender<Held>);

impl<'a> Waiting<'a> {
    pub(super) fn begin(held: &'a watch::Sender<Held>) -> Self {
        held.send_modify(|held| held.waiting += 1);
        Self(held)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| held.waiting -= 1);
    }
}
