//! An executor that a test holds in its hand.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use worker_runtime::{
    Executor, ExecutorUnavailable, ProfileSpec, RunContext, RunEnd, RunFuture, RunOutput,
};

/// The test's end of it.
#[derive(Clone)]
pub(crate) struct Hold {
    release: Arc<Semaphore>,
    told: Arc<Notify>,
}

impl Hold {
    pub(crate) fn new() -> Self {
        Self {
            release: Arc::new(Semaphore::new(0)),
            told: Arc::default(),
        }
    }

    /// A profile whose runs say `working` and end only when this lets them.
    pub(crate) fn profile(&self) -> ProfileSpec {
        ProfileSpec::new(Held(self.clone()))
    }

    /// Lets one run end.
    pub(crate) fn release(&self) {
        self.release.add_permits(1);
    }

    /// Waits for a run to be told to end.
    pub(crate) async fn told(&self) {
        let told = tokio::time::timeout(super::WAIT, self.told.notified()).await;
        told.expect("a run should have been told to end");
    }
}

/// Says `working`, and ends when it is released, not before, whatever it is told.
pub(crate) struct Held(Hold);

impl Executor for Held {
    fn name(&self) -> &'static str {
        "held"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        super::WAIT
    }

    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture {
        let hold = self.0.clone();
        Box::pin(async move {
            if out.text("working").await.is_err() {
                return RunEnd::Cancelled;
            }
            let tell = async {
                run.cancelled.cancelled().await;
                hold.told.notify_one();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = tell => {}
                permit = hold.release.acquire() => permit.unwrap().forget(),
            }
            if run.cancelled.is_cancelled() {
                RunEnd::Cancelled
            } else {
                RunEnd::Completed
            }
        })
    }
}
