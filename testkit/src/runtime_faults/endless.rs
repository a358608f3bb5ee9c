//! An executor whose runs take a place and do nothing with it.

use std::time::Duration;

use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunEnd, RunFuture, RunOutput};

use super::RuntimeFaults;

/// Says nothing, and ends when it is cancelled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endless;

impl Executor for Endless {
    fn name(&self) -> &'static str {
        RuntimeFaults::ENDLESS
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, context: RunContext, _out: RunOutput) -> RunFuture {
        Box::pin(async move {
            context.cancelled.cancelled().await;
            RunEnd::Cancelled
        })
    }
}
