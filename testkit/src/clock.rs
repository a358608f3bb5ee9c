//! Time and identifiers that are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;
use worker_runtime::{Clock, IdSource};
use yoi_protocol::Timestamp;

/// A clock that stands still until its test moves it.
///
/// It tells a Runtime the time of its events. Deadlines and grace times follow tokio's own clock,
/// which `#[tokio::test(start_paused = true)]` holds still.
///
/// ```
/// use std::time::Duration;
/// use worker_runtime::{CommandContext, Runtime};
/// use yoi_protocol::{CreateWorker, RuntimeId};
/// use yoi_testkit::{ManualClock, SequentialIds};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let clock = ManualClock::new();
/// let runtime = Runtime::builder(RuntimeId::parse("local").unwrap())
///     .clock(clock.clone())
///     .ids(SequentialIds::new())
///     .start()
///     .await
///     .unwrap();
/// let create = || runtime.create_worker(CreateWorker::default(), CommandContext::default());
///
/// let first = create().await.unwrap().value;
/// clock.advance(Duration::from_secs(1));
/// let second = create().await.unwrap().value;
/// assert_eq!(second.created_at.ms_since(first.created_at), 1000);
/// assert_ne!(second.worker_id, first.worker_id);
/// # }
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows some time in the past.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::starting_at(Timestamp::from_unix_ms(1_770_000_000_000))
    }

    /// A clock that shows `time`.
    #[must_use]
    pub fn starting_at(time: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time.as_unix_ms())))
    }

    /// Moves it on, in whole milliseconds.
    ///
    /// # Panics
    /// When that is past all that a clock can show.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("a test waits for less than an age");
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets it, also to an earlier time, as machines do whose clock is corrected.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_unix_ms(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Identifiers that count from 1.
///
/// One source may serve one Runtime and those that follow it on the same store, and no other: each
/// value comes once from each source.
///
/// ```
/// use worker_runtime::{CommandContext, Runtime};
/// use yoi_protocol::{CreateWorker, RuntimeId};
/// use yoi_testkit::SequentialIds;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut named = Vec::new();
/// for _run in 0..2 {
///     let id = RuntimeId::parse("local").unwrap();
///     let runtime = Runtime::builder(id).ids(SequentialIds::new()).start().await.unwrap();
///     let created = runtime.create_worker(CreateWorker::default(), CommandContext::default()).await;
///     named.push(created.unwrap().value.worker_id);
/// }
/// assert_eq!(named[0], named[1]);
/// # }
/// ```
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// A source that begins at 1.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }
}

impl IdSource for SequentialIds {
    fn next(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Uuid::from_u64_pair(0, number)
    }
}
