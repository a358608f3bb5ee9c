//! The guard of a fault.

use std::fmt;
use std::sync::Arc;

use super::shared::Shared;
use crate::fault::Injection;
use crate::patience::{PATIENCE, within};
use crate::verdict;

/// How many requests a message shows.
const SHOWN: usize = 20;

/// A fault that happens until this is dropped.
///
/// Dropped, it fails the test if the fault never happened, or less often than
/// [`first`](Injection::first) says: what was tested then was a link that is well. What counts is
/// what was done: an answer that the Runtime never gave cannot be cut, and a silence has happened
/// when something was not heard.
///
/// # Panics
/// When it is dropped and the fault did not happen, or not so often. A test that is panicking
/// already fails for its own reason; what happened on the link, and its seed, is then printed.
///
/// ```should_panic
/// # use yoi_testkit::{Fault, FaultProxy, TestRuntime};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let runtime = TestRuntime::builder("gpu-1").start().await;
/// let link = FaultProxy::to(&runtime).await;
/// let fault = link.inject(Fault::ClosedInHead);
/// // Nobody asks for anything.
/// fault.undo();
/// # }
/// ```
#[must_use = "the fault ends when this is dropped"]
pub struct InjectedFault {
    shared: Arc<Shared>,
    id: u64,
    injection: Injection,
}

impl InjectedFault {
    pub(super) fn new(shared: Arc<Shared>, injection: Injection) -> Self {
        let id = shared.inject(injection);
        Self {
            shared,
            id,
            injection,
        }
    }

    /// How often it has happened: to how many requests, or streams.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.shared.fired(self.id)
    }

    /// Waits until it has happened so often.
    ///
    /// # Panics
    /// When it has not within 20 seconds, with what came instead.
    pub async fn until_fired(&self, times: usize) {
        let mut changes = self.shared.changes();
        let fired = changes.wait_for(|_| self.fired() >= times);
        if within(PATIENCE, fired).await.is_err() {
            panic!("within {PATIENCE:?} {}", self.account());
        }
    }

    /// Ends the fault: what comes from now on passes. Streams that it has broken stay broken.
    ///
    /// # Panics
    /// When it never happened, or less often than was said.
    pub fn undo(self) {}

    /// How often it must happen.
    fn due(&self) -> usize {
        self.injection.first.unwrap_or(1)
    }

    /// What happened, and what came by.
    fn account(&self) -> String {
        let Injection { fault, on, first } = self.injection;
        let mut text = match self.fired() {
            0 => format!("{fault} never happened"),
            times => format!("{fault} happened {}", often(times)),
        };
        if (1..self.due()).contains(&self.fired()) {
            text.push_str(&format!(", and not {},", often(self.due())));
        }
        text.push_str(&format!(" on the link to {}", self.shared.runtime_id));
        if let Some(operation) = on {
            text.push_str(&format!(", where it was meant for {operation}"));
        }
        if let Some(first) = first {
            text.push_str(&format!(" (the first {first})"));
        }
        let exchanges = self.shared.exchanges();
        let skipped = exchanges.len().saturating_sub(SHOWN);
        text.push_str(match exchanges.is_empty() {
            true => "; no request came by at all",
            false => "; what came by:",
        });
        if skipped > 0 {
            text.push_str(&format!("\n  ({skipped} earlier ones)"));
        }
        for exchange in &exchanges[skipped..] {
            text.push_str(&format!("\n  {exchange}"));
        }
        text.push_str(&format!("\nthe seed of this link is {}", self.shared.seed));
        text
    }
}

impl Drop for InjectedFault {
    fn drop(&mut self) {
        self.shared.undo(self.id);
        // Whoever fails for another reason wants to know the seed, too.
        if self.fired() < self.due() || std::thread::panicking() {
            verdict::fail(&self.account());
        }
    }
}

fn often(times: usize) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

impl fmt::Debug for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectedFault")
            .field("injection", &self.injection)
            .field("fired", &self.fired())
            .finish_non_exhaustive()
    }
}
