//! An executor whose runs say something, and then last until they are ended.

use std::time::Duration;

use worker_runtime::{
    Executor, ExecutorUnavailable, ProfileSpec, RunContext, RunEnd, RunFuture, RunOutput,
    RuntimeBuilder,
};
use yoi_testkit::{TestRuntime, TestRuntimeBuilder};

struct Lasting;

impl Executor for Lasting {
    fn name(&self) -> &'static str {
        "lasting"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, context: RunContext, out: RunOutput) -> RunFuture {
        Box::pin(async move {
            for piece in ["as long ", "as it tükes"] {
                if out.text(piece).await.is_err() {
                    break;
                }
            }
            context.cancelled.cancelled().await;
            RunEnd::Cancelled
        })
    }
}

/// Tells a Runtime of the profile `lasting`.
pub(crate) fn lasting(runtime: RuntimeBuilder) -> RuntimeBuilder {
    runtime.profile("lasting", ProfileSpec::new(Lasting))
}

/// A Runtime with the profiles `echo` and `lasting`.
pub(crate) fn runtime(id: &str) -> TestRuntimeBuilder {
    TestRuntime::builder(id).runtime(lasting)
}
