//! The executor boundary: what a Worker runs.

mod command;
mod echo;
mod output;
mod utf8;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use yoi_protocol::{RunError, RunId, WorkerId};

pub use command::{CommandExecutor, CommandSettings};
pub use echo::EchoExecutor;
pub use output::{OutputClosed, RunOutput};
pub(crate) use output::{Said, channel};

/// The work of one run.
pub type RunFuture = Pin<Box<dyn Future<Output = RunEnd> + Send>>;

/// Turns inputs into what a Worker says.
///
/// The Runtime owns everything else: the log, the transcript, limits, and who may see what. It
/// runs at most one run per Worker at a time, and any number of Workers on one executor.
pub trait Executor: Send + Sync {
    /// The name that profiles show: `echo`, `command`, …
    fn name(&self) -> &'static str;

    /// Whether a Worker could run now. Asked when one is created, and each time that the Runtime
    /// says what it is: it answers at once, if need be with what it found a moment ago.
    ///
    /// # Errors
    /// [`ExecutorUnavailable`], which becomes `invalid_request` at `/profile`.
    fn check(&self) -> Result<(), ExecutorUnavailable>;

    /// How long a run may take to end after it was told to. Then its future is dropped.
    fn cancel_grace(&self) -> Duration;

    /// Runs once.
    ///
    /// The future ends soon after [`RunContext::cancelled`] and answers [`RunEnd::Cancelled`] if
    /// that is why. It may be dropped at any time and then leaves nothing behind. What it says
    /// goes to `out` and is cut off at `max_run_output_bytes`. A panic fails the run, no more.
    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture;
}

/// Why no Worker can run on an executor. The text is for callers: no path, no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExecutorUnavailable(pub &'static str);

/// What a run starts from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunContext {
    /// The Worker.
    pub worker_id: WorkerId,
    /// The run.
    pub run_id: RunId,
    /// What the Worker is told.
    pub input: String,
    /// Fires when the run is to end: by cancel, stop, drain, or because it said too much.
    pub cancelled: CancellationToken,
}

/// How a run ended, as its executor saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// By itself, well.
    Completed,
    /// Because it was told to.
    Cancelled,
    /// Not well. The error is shown to callers: no path, no address.
    Failed(RunError),
}

impl RunEnd {
    /// A failure with a code for programs and a message for people.
    #[must_use]
    pub fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed(RunError {
            code: code.to_owned(),
            message: message.into(),
        })
    }
}
