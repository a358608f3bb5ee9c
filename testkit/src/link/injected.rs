//! The guard of a fault.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::shared::Shared;
use crate::fault::Injection;

/// How long a fault is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many requests a message shows.
const SHOWN: usize = 20;

/// A fault that happens until this is dropped.
///
/// Dropped, it fails the test if the fault never happened: what was tested then was a link that is
/// well.
///
/// # Panics
/// When it is dropped and the fault never happened, unless the test is panicking already.
#[must_use = "the fault ends when this is dropped"]
pub struct Injected {
    shared: Arc<Shared>,
    id: u64,
    injection: Injection,
}

impl Injected {
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
        if timeout(PATIENCE, fired).await.is_err() {
            panic!("within {PATIENCE:?} {}", self.account());
        }
    }

    /// Ends the fault: what comes from now on passes. Streams that it has broken stay broken.
    ///
    /// # Panics
    /// When it never happened.
    pub fn undo(self) {}

    /// What happened, and what came by.
    fn account(&self) -> String {
        let Injection { fault, on, first } = self.injection;
        let mut text = match self.fired() {
            0 => format!("{fault} never happened"),
            times => format!("{fault} happened {times} times"),
        };
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

impl Drop for Injected {
    fn drop(&mut self) {
        self.shared.undo(self.id);
        assert!(
            self.fired() > 0 || std::thread::panicking(),
            "{}",
            self.account()
        );
    }
}

impl fmt::Debug for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injected")
            .field("injection", &self.injection)
            .field("fired", &self.fired())
            .finish_non_exhaustive()
    }
}
