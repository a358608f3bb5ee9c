//! What Workers run: it answers in pieces, and takes its time.

use std::time::Duration;

use tokio::time::sleep;
use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunEnd, RunFuture, RunOutput};

/// Answers with what it is told, in pieces.
#[derive(Debug)]
pub(crate) struct Talker;

impl Executor for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture {
        Box::pin(async move {
            let talk = async {
                for piece in 0..fastrand::u32(1..12) {
                    sleep(Duration::from_millis(fastrand::u64(0..200))).await;
                    if out.text(&format!("{}.{piece} ", run.input)).await.is_err() {
                        return RunEnd::Cancelled;
                    }
                }
                RunEnd::Completed
            };
            tokio::select! {
                biased;
                () = run.cancelled.cancelled() => RunEnd::Cancelled,
                end = talk => end,
            }
        })
    }
}
