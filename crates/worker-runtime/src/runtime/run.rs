//! An active run: between its executor and its Worker's log.

mod ending;
mod listen;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use yoi_protocol::{Cancelled, RunId, Stopped};

use super::Inner;
use super::budget::Budget;
use super::command::Command;
use super::slot::Slot;
use crate::error::RuntimeError;
use crate::executor::{Executor, RunContext, RunEnd, Said, channel};
use crate::quota::Permit;
use crate::until::until;

/// The handle by which commands reach a run.
pub(super) struct RunControl {
    /// Tells the executor to end.
    pub(super) cancelled: CancellationToken,
    /// Ends the executor without waiting for it.
    pub(super) cut: CancellationToken,
    /// The commands that wait for the end.
    pub(super) asked: Vec<Ask>,
    /// Its place among `max_runs`.
    _place: Permit,
}

/// A command that waits for the end of a run.
pub(super) enum Ask {
    Cancel {
        command: Command,
        answer: oneshot::Sender<Result<Cancelled, RuntimeError>>,
    },
    Stop {
        command: Command,
        reason: Option<String>,
        answer: oneshot::Sender<Result<Stopped, RuntimeError>>,
    },
}

impl RunControl {
    pub(super) fn new(place: Permit) -> Self {
        Self {
            cancelled: CancellationToken::new(),
            cut: CancellationToken::new(),
            asked: Vec::new(),
            _place: place,
        }
    }

    /// Ends the run on somebody's behalf.
    pub(super) fn ask(&mut self, ask: Ask) {
        self.asked.push(ask);
        self.cancelled.cancel();
    }
}

/// What drives one run.
pub(super) struct Run {
    inner: Arc<Inner>,
    slot: Arc<Slot>,
    run_id: RunId,
    budget: Budget,
    /// A write of the run's own failed: it cannot go on.
    is_unrecorded: bool,
}

/// How the work of an executor ended.
enum Ended {
    By(RunEnd),
    Panicked,
    /// It did not end when it was told to, and was dropped.
    Dropped,
}

impl Inner {
    /// Begins the run whose start is committed.
    pub(super) fn begin_run(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        executor: Arc<dyn Executor>,
        run: RunContext,
        cut: CancellationToken,
    ) {
        let driver = Run {
            inner: Arc::clone(self),
            slot: Arc::clone(slot),
            run_id: run.run_id.clone(),
            budget: Budget::new(self.limits.max_run_output_bytes),
            is_unrecorded: false,
        };
        self.runs.spawn(driver.drive(executor, run, cut));
    }
}

impl Run {
    async fn drive(mut self, executor: Arc<dyn Executor>, run: RunContext, cut: CancellationToken) {
        let told = run.cancelled.clone();
        let (out, mut said) = channel();
        let grace = executor.cancel_grace();
        // In a task of its own, so that a panic is an outcome like any other.
        let mut work = Work(tokio::spawn(async move { executor.run(run, out).await }));
        let ended = self.follow(&mut work, &mut said, &told, &cut, grace).await;
        if matches!(ended, Ended::Dropped) {
            work.drop_now().await;
        }
        said.close();
        while let Some(said) = said.recv().await {
            self.listen(said).await;
        }
        self.finish(ended).await;
    }

    /// Listens until the executor ends, or for `grace` after it was told to.
    async fn follow(
        &mut self,
        work: &mut Work,
        said: &mut mpsc::Receiver<Said>,
        told: &CancellationToken,
        cut: &CancellationToken,
        grace: Duration,
    ) -> Ended {
        let mut give_up: Option<Instant> = None;
        let mut is_open = true;
        loop {
            // In this order: an executor that never stops talking can still be ended, and one
            // that ended has been heard first.
            tokio::select! {
                biased;
                () = cut.cancelled() => return Ended::Dropped,
                () = told.cancelled(), if give_up.is_none() => {
                    give_up = Some(Instant::now() + grace);
                }
                () = until(give_up), if give_up.is_some() => return Ended::Dropped,
                next = said.recv(), if is_open => match next {
                    Some(said) => self.listen(said).await,
                    None => is_open = false,
                },
                ended = &mut work.0 => return Ended::of(ended),
            }
            if self.budget.is_over() || self.is_unrecorded {
                told.cancel();
            }
        }
    }
}

impl Ended {
    fn of(joined: Result<RunEnd, JoinError>) -> Self {
        match joined {
            Ok(end) => Self::By(end),
            Err(error) => {
                tracing::error!(%error, "an executor failed");
                Self::Panicked
            }
        }
    }
}

/// How long to wait for the work of an executor to be dropped: only one that blocks its thread
/// takes longer, and that is not worth waiting for.
const DROP_TIME: Duration = Duration::from_secs(1);

/// The work of an executor, dropped together with whoever drives it.
struct Work(JoinHandle<RunEnd>);

impl Work {
    /// Drops it, so that what it leaves behind is gone before the end of the run is told.
    async fn drop_now(&mut self) {
        self.0.abort();
        let _ = timeout(DROP_TIME, &mut self.0).await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}
