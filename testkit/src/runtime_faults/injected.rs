//! The guard of a fault inside a Runtime.

use std::fmt;
use std::sync::Arc;

use yoi_client::Workers;

use super::RuntimeFaults;
use super::crowd::Crowd;
use super::ward::Case;
use crate::{Fault, verdict};

/// Longer than an idempotency key is remembered.
const TWO_DAYS_MS: i64 = 48 * 60 * 60 * 1000;

/// A fault inside a Runtime, until this is dropped.
///
/// Dropped, it ends what it did to the store or the clock, and nothing that another guard does. A
/// limit that is met stays so, but for that of observers, who leave: the Workers, runs and keys
/// that take the places are the Runtime's own, and only [`undo`](Self::undo) can wait until it has
/// let them go.
///
/// A Runtime that has met [`Fault::StoreUncertain`] takes no more commands, though the store is
/// well again, and one that met [`Fault::RuntimeDrains`] is on its way out: each needs a restart.
///
/// # Panics
/// When it is dropped and the fault never happened, unless the test is panicking already.
///
/// ```should_panic
/// # use yoi_testkit::{Fault, RuntimeFaults};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let insides = RuntimeFaults::new();
/// let runtime = insides.runtime("gpu-1").start().await;
/// let harm = insides.inject(Fault::StoreRefuses, &runtime).await;
/// // Nobody writes anything.
/// harm.undo().await;
/// # }
/// ```
#[must_use = "the fault ends when this is dropped"]
pub struct InjectedRuntimeFault<'a> {
    pub(super) insides: &'a RuntimeFaults,
    pub(super) fault: Fault,
    pub(super) crowd: Crowd,
    /// Whether it has certainly happened as it began.
    pub(super) certain: bool,
    pub(super) workers: Workers,
    pub(super) case: Arc<Case>,
}

impl InjectedRuntimeFault<'_> {
    /// How often it has happened: to so many writes, reads, or looks at the clock. That a limit is
    /// met, or a Runtime shut down, was seen as it began, and counts as once.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.case.met() + usize::from(self.certain)
    }

    /// Ends it, and makes room again where a limit was met. Returns when there is.
    ///
    /// # Panics
    /// When it never happened, or no room can be made.
    pub async fn undo(mut self) {
        self.insides.ward.end(&self.case);
        if self.crowd.holds_keys() {
            // Only time frees a key.
            self.insides.clock.age(TWO_DAYS_MS);
        }
        self.crowd.leave(&self.workers).await;
    }
}

impl Drop for InjectedRuntimeFault<'_> {
    fn drop(&mut self) {
        self.insides.ward.end(&self.case);
        if self.fired() == 0 {
            let fault = self.fault;
            verdict::fail(&format!("{fault} never happened inside the runtime"));
        }
    }
}

impl fmt::Debug for InjectedRuntimeFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectedRuntimeFault")
            .field("fault", &self.fault)
            .field("fired", &self.fired())
            .finish_non_exhaustive()
    }
}
