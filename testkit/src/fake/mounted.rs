//! A route that is answered, for as long as this is held.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::Received;
use super::unexpected::locked;
use crate::{eventually, verdict};

/// What holds a [`Stub`](super::Stub) in its place.
///
/// Dropped, it takes the stub away, and fails the test when it was not asked as often as it said:
/// at least once, if it said nothing.
///
/// ```should_panic
/// # use yoi_testkit::FakeRuntime;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let stopped = fake.stop("w-1").times(1).mount().await;
/// // Nobody stops it.
/// stopped.verify();
/// # }
/// ```
#[must_use = "the stub is taken away again when this is dropped: bind it to a name"]
pub struct MountedStub {
    asks: Arc<Asks>,
}

/// How often a stub is to be asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Often {
    Any,
    AtLeastOnce,
    Exactly(u64),
}

/// How often it was.
#[derive(Debug)]
pub(super) struct Asks {
    route: String,
    often: Often,
    requests: Mutex<Vec<Received>>,
    /// Whether the stub is still there. The guards of wiremock find their mocks by a place that
    /// moves when there are priorities, so this is not left to them.
    held: AtomicBool,
}

impl Asks {
    pub(super) fn new(route: String, often: Often) -> Self {
        Self {
            route,
            often,
            requests: Mutex::default(),
            held: AtomicBool::new(true),
        }
    }

    pub(super) fn held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    pub(super) fn came(&self, request: Received) {
        locked(&self.requests).push(request);
    }

    /// What is wrong, if anything is.
    fn fault(&self) -> Option<String> {
        let requests = locked(&self.requests);
        let count = u64::try_from(requests.len()).unwrap_or(u64::MAX);
        let expected = match self.often {
            Often::Any => return None,
            Often::AtLeastOnce if count > 0 => return None,
            Often::Exactly(n) if count == n => return None,
            Often::AtLeastOnce => "at least once".to_owned(),
            Often::Exactly(n) => format!("{n} time(s)"),
        };
        let mut text = format!(
            "the stub for {} was to be asked {expected}, and was asked {count} time(s)",
            self.route
        );
        for request in requests.iter() {
            text.push_str(&format!("\n- {request}"));
        }
        Some(text)
    }
}

impl MountedStub {
    pub(super) fn new(asks: Arc<Asks>) -> Self {
        Self { asks }
    }

    /// What it was asked so far, in that order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.asks.requests).clone()
    }

    /// Waits until it was asked `n` times or more.
    ///
    /// # Panics
    /// When it is not within 20 seconds, with what came.
    pub async fn until_asked(&self, n: usize) {
        let what = format!("{} is asked {n} time(s)", self.asks.route);
        eventually(&what, async || {
            let received = self.received();
            match received.len() >= n {
                true => Ok(()),
                false => Err(received),
            }
        })
        .await;
    }

    /// Takes the stub away here instead of where it is dropped.
    ///
    /// # Panics
    /// When it was not asked as often as it said, with what came.
    pub fn verify(self) {
        drop(self);
    }
}

impl Drop for MountedStub {
    fn drop(&mut self) {
        self.asks.held.store(false, Ordering::Release);
        if let Some(fault) = self.asks.fault() {
            verdict::fail(&fault);
        }
    }
}

impl fmt::Debug for MountedStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedStub")
            .field("asks", &self.asks)
            .finish()
    }
}
