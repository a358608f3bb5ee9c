//! An executor that does what the test says, when it says so.

use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunEnd, RunFuture, RunOutput};

use super::PATIENCE;

/// Hands each run to the test and then waits for its end.
pub(crate) struct ScriptedExecutor {
    runs: mpsc::UnboundedSender<ActiveRun>,
}

/// The test's end of it.
pub(crate) struct Script {
    runs: Mutex<mpsc::UnboundedReceiver<ActiveRun>>,
}

/// One run, led by the test.
pub(crate) struct ActiveRun {
    pub(crate) context: RunContext,
    pub(crate) out: RunOutput,
    end: mpsc::Sender<RunEnd>,
}

/// How long a run that was told to end may go on.
pub(crate) const GRACE: Duration = Duration::from_millis(200);

impl ScriptedExecutor {
    pub(crate) fn new() -> (Self, Script) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let runs = Mutex::new(receiver);
        (Self { runs: sender }, Script { runs })
    }
}

impl Script {
    /// The next run that begins.
    pub(crate) async fn run(&self) -> ActiveRun {
        let mut runs = self.runs.lock().await;
        let next = tokio::time::timeout(PATIENCE, runs.recv()).await;
        next.expect("a run begins").expect("the executor is there")
    }
}

impl ActiveRun {
    /// Waits until it is told to end.
    pub(crate) async fn told(&self) {
        let told = tokio::time::timeout(PATIENCE, self.context.cancelled.cancelled()).await;
        told.expect("the run is told to end");
    }

    pub(crate) async fn end(self, end: RunEnd) {
        let _ = self.end.send(end).await;
    }

    pub(crate) async fn text(&self, text: &str) {
        self.out.text(text).await.unwrap();
    }
}

impl Executor for ScriptedExecutor {
    fn name(&self) -> &'static str {
        "script"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        GRACE
    }

    fn run(&self, context: RunContext, out: RunOutput) -> RunFuture {
        let runs = self.runs.clone();
        Box::pin(async move {
            let (end, mut ends) = mpsc::channel(1);
            // Ends only when the test says so: the test also plays executors that do not listen.
            let _ = runs.send(ActiveRun { context, out, end });
            ends.recv().await.unwrap_or(RunEnd::Cancelled)
        })
    }
}
