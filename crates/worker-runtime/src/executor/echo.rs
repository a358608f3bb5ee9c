//! The executor that answers with what it was told.

use std::time::Duration;

use super::{Executor, ExecutorUnavailable, RunContext, RunEnd, RunFuture, RunOutput};

/// Answers with the content of the input, streamed in pieces.
#[derive(Debug, Clone, Copy, Default)]
pub struct EchoExecutor;

/// A short answer is streamed by so many bytes at a time, a long one in about [`PIECES`] pieces.
const SMALLEST_PIECE: usize = 16;
const PIECES: usize = 64;

impl Executor for EchoExecutor {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture {
        Box::pin(async move {
            let size = SMALLEST_PIECE.max(run.input.len() / PIECES);
            let mut rest = run.input.as_str();
            while !rest.is_empty() {
                if run.cancelled.is_cancelled() {
                    return RunEnd::Cancelled;
                }
                let (piece, later) = rest.split_at(boundary_from(rest, size));
                if out.text(piece).await.is_err() {
                    return RunEnd::Cancelled;
                }
                rest = later;
            }
            RunEnd::Completed
        })
    }
}

/// The first boundary between characters at or after byte `at`.
fn boundary_from(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len())
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(text.len())
}
