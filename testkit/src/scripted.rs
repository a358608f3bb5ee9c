//! An executor that says what a test tells it to.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunEnd, RunFuture, RunOutput};
use yoi_protocol::{RunId, WorkerId};

use crate::patience::{PATIENCE, within};

/// What Workers run whose test decides what they say, and when.
///
/// Each run waits for its test: it comes out of [`Script::next_run`], says what it is told there,
/// and ends as it is told there, or as cancelled when somebody cancels it. A run that the test
/// drops, or that nobody is left to take, fails with the code `script_dropped`.
///
/// One that is [`stubborn`](Self::stubborn) ends only as its test tells it, whoever cancels it.
///
/// ```
/// use worker_runtime::{CommandContext, ProfileSpec, Runtime};
/// use yoi_protocol::{CreateWorker, InputRequest, RuntimeId};
/// use yoi_testkit::ScriptedExecutor;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (executor, mut script) = ScriptedExecutor::new();
/// let runtime = Runtime::builder(RuntimeId::parse("local").unwrap())
///     .profile("scripted", ProfileSpec::new(executor))
///     .default_profile("scripted")
///     .start()
///     .await
///     .unwrap();
/// let worker = runtime
///     .create_worker(CreateWorker::default(), CommandContext::default())
///     .await
///     .unwrap()
///     .value;
/// runtime
///     .send_input(&worker.worker_id, InputRequest::new("hi"), CommandContext::default())
///     .await
///     .unwrap();
///
/// let run = script.next_run().await;
/// assert_eq!(run.worker_id(), &worker.worker_id);
/// run.say("hel").await;
/// run.say("lo").await;
/// run.fail("out_of_words", "there is nothing more to say");
/// # }
/// ```
#[derive(Clone)]
pub struct ScriptedExecutor {
    runs: mpsc::UnboundedSender<ScriptedRun>,
    stubborn: bool,
    grace: Duration,
}

/// The test's end of a [`ScriptedExecutor`]: its runs, in the order in which they began.
pub struct Script {
    runs: mpsc::UnboundedReceiver<ScriptedRun>,
}

/// A run that waits for what its test tells it.
#[must_use = "a run that is dropped fails"]
pub struct ScriptedRun {
    context: RunContext,
    out: RunOutput,
    end: oneshot::Sender<RunEnd>,
}

impl ScriptedExecutor {
    /// An executor, and the test's end of it.
    #[must_use]
    pub fn new() -> (Self, Script) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let executor = Self {
            runs: sender,
            stubborn: false,
            grace: Duration::from_secs(1),
        };
        (executor, Script { runs: receiver })
    }

    /// One whose runs do not end because somebody cancels them, but only as the test tells them:
    /// what an executor is that takes its time, or does not listen at all.
    ///
    /// ```
    /// use worker_runtime::{CommandContext, ProfileSpec, Runtime};
    /// use yoi_protocol::{CancelRequest, CreateWorker, InputRequest, RuntimeId};
    /// use yoi_testkit::ScriptedExecutor;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (executor, mut script) = ScriptedExecutor::stubborn();
    /// # let id = RuntimeId::parse("local").unwrap();
    /// # let runtime = Runtime::builder(id).profile("s", ProfileSpec::new(executor));
    /// # let runtime = runtime.default_profile("s").start().await.unwrap();
    /// # let plain = CommandContext::default;
    /// # let created = runtime.create_worker(CreateWorker::default(), plain()).await;
    /// # let worker = created.unwrap().value.worker_id;
    /// # runtime.send_input(&worker, InputRequest::new("hi"), plain()).await.unwrap();
    /// let run = script.next_run().await;
    /// let cancel = tokio::spawn(async move {
    ///     runtime.cancel(&worker, CancelRequest::default(), CommandContext::default()).await
    /// });
    /// run.cancelled().await;
    /// run.say("in a moment").await;
    /// run.complete();
    /// cancel.await.unwrap().unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn stubborn() -> (Self, Script) {
        let (mut executor, script) = Self::new();
        executor.stubborn = true;
        (executor, script)
    }

    /// How long the Runtime waits for a run that it has told to end, before it gives up on it; a
    /// second unless told.
    #[must_use]
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

impl Executor for ScriptedExecutor {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        self.grace
    }

    fn run(&self, context: RunContext, out: RunOutput) -> RunFuture {
        let (runs, stubborn) = (self.runs.clone(), self.stubborn);
        Box::pin(async move {
            let cancelled = context.cancelled.clone();
            let (end, told) = oneshot::channel();
            // A script that is gone drops the run here, which `told` then says.
            let _ = runs.send(ScriptedRun { context, out, end });
            tokio::select! {
                biased;
                end = told => end.unwrap_or_else(|_| {
                    RunEnd::failed("script_dropped", "the test let go of this run")
                }),
                () = cancelled.cancelled(), if !stubborn => RunEnd::Cancelled,
            }
        })
    }
}

impl Script {
    /// The next run that has begun.
    ///
    /// # Panics
    /// When none begins within 20 seconds.
    pub async fn next_run(&mut self) -> ScriptedRun {
        match within(PATIENCE, self.runs.recv()).await {
            Ok(Some(run)) => run,
            Ok(None) => panic!("no run can begin any more: the executor is gone"),
            Err(_elapsed) => panic!("no run began within {PATIENCE:?}: was an input sent?"),
        }
    }

    /// The next run, if one has begun already.
    pub fn try_next_run(&mut self) -> Option<ScriptedRun> {
        self.runs.try_recv().ok()
    }
}

impl ScriptedRun {
    /// The Worker that runs.
    #[must_use]
    pub fn worker_id(&self) -> &WorkerId {
        &self.context.worker_id
    }

    /// The run.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.context.run_id
    }

    /// What the Worker was told.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.context.input
    }

    /// Says a piece of the answer, and returns when the Runtime has taken it.
    ///
    /// # Panics
    /// When the run is over: it was cancelled, or it said too much.
    pub async fn say(&self, piece: &str) {
        let said = within(PATIENCE, self.out.text(piece)).await;
        match said {
            Ok(Ok(())) => {}
            Ok(Err(closed)) => panic!("{} says {piece:?}: {closed}", self.run_id()),
            Err(_elapsed) => panic!(
                "the Runtime took nothing of {} within {PATIENCE:?}",
                self.run_id()
            ),
        }
    }

    /// Everything else that a run can say: thinking, tools, usage, whole entries.
    #[must_use]
    pub fn output(&self) -> &RunOutput {
        &self.out
    }

    /// Waits until somebody cancels the run.
    ///
    /// # Panics
    /// When nobody does within 20 seconds.
    pub async fn cancelled(&self) {
        let cancelled = within(PATIENCE, self.context.cancelled.cancelled()).await;
        assert!(
            cancelled.is_ok(),
            "nobody cancelled {} within {PATIENCE:?}",
            self.run_id()
        );
    }

    /// Whether somebody has cancelled the run.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.context.cancelled.is_cancelled()
    }

    /// Ends the run well.
    pub fn complete(self) {
        self.end(RunEnd::Completed);
    }

    /// Ends the run with a failure.
    pub fn fail(self, code: &str, message: &str) {
        self.end(RunEnd::failed(code, message));
    }

    /// Ends the run in any way that a run can end.
    pub fn end(self, how: RunEnd) {
        let Self { out, end, .. } = self;
        // What was said counts as said before the end.
        drop(out);
        // A run that was cancelled meanwhile has ended already, by its own word.
        let _ = end.send(how);
    }
}

impl fmt::Debug for ScriptedExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedExecutor")
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl fmt::Debug for ScriptedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedRun")
            .field("run_id", self.run_id())
            .finish_non_exhaustive()
    }
}
