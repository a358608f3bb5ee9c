//! The end of a run: one record, and the answers of all who wait for it.

use std::time::Duration;

use yoi_protocol::{Cancelled, Effect, Outcome, Stopped};

use super::{Ask, Ended, Run};
use crate::error::RuntimeError;
use crate::executor::RunEnd;
use crate::runtime::command::Remembered;
use crate::runtime::decide::{self, Ending};
use crate::runtime::slot::Draft;

/// How long to wait before writing the end again, at first and at most.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

impl Run {
    /// Commits the end. A store that refuses is asked again, for as long as it is certain that
    /// nothing was written: a run that is over must not look active. One that cannot tell is left
    /// alone; the next start finds the run interrupted.
    pub(super) async fn finish(self, ended: Ended) {
        let mut settled: Option<Ending> = None;
        let mut wait = FIRST_RETRY;
        loop {
            let gate = self.slot.gate.lock().await;
            let asked = self.asked();
            let ending = match settled {
                Some(ending) => ending,
                None => self.ending(&ended, &asked),
            };
            match self.commit(&ending, asked).await {
                Ok(()) => return,
                Err(RuntimeError::StoreFailed { .. }) if !self.inner.has_store_failed() => {}
                Err(error) => {
                    tracing::error!(worker_id = %self.slot.log.worker_id, run_id = %self.run_id,
                        %error, "the end of a run is not recorded");
                    return;
                }
            }
            drop(gate);
            settled = Some(ending);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_RETRY);
        }
    }

    /// The commands that wait for this end. None can come while the gate is held.
    fn asked(&self) -> Vec<Ask> {
        let mut live = self.slot.live();
        live.run
            .as_mut()
            .map(|run| std::mem::take(&mut run.asked))
            .unwrap_or_default()
    }

    fn ending(&self, ended: &Ended, asked: &[Ask]) -> Ending {
        if self.is_unrecorded {
            return Ending::failed("store_failed", "what the run said could not be recorded");
        }
        if self.budget.is_over() {
            let message = "the run said more than max_run_output_bytes";
            return Ending::failed("output_limit", message);
        }
        match ended {
            Ended::By(RunEnd::Completed) => Ending {
                outcome: Outcome::Completed,
                error: None,
            },
            Ended::By(RunEnd::Failed(error)) => Ending {
                outcome: Outcome::Failed,
                error: Some(error.clone()),
            },
            Ended::Panicked => Ending::failed("executor_failed", "the executor failed"),
            Ended::By(RunEnd::Cancelled) | Ended::Dropped => {
                if !asked.is_empty() {
                    Ending {
                        outcome: Outcome::Cancelled,
                        error: None,
                    }
                } else if self.inner.is_draining() {
                    Ending::interrupted()
                } else {
                    Ending::failed(
                        "executor_failed",
                        "the executor ended without being told to",
                    )
                }
            }
        }
    }

    async fn commit(&self, ending: &Ending, asked: Vec<Ask>) -> Result<(), RuntimeError> {
        let at = self.inner.clock.now();
        let stop = asked.iter().find_map(|ask| match ask {
            Ask::Stop { reason, .. } => Some(reason.clone()),
            Ask::Cancel { .. } => None,
        });
        let events = {
            let live = self.slot.live();
            let text = live.said.as_ref().map(|said| said.text.clone());
            let text = text.unwrap_or_default();
            decide::finish(&live.state, &self.run_id, text, ending.clone(), stop, at)
        };
        let draft = self.inner.draft(&self.slot, at, events)?;
        let (answers, replies) = self.answers(asked, ending, &draft);
        let committed = self.inner.commit(&self.slot, draft, answers).await;
        for reply in replies {
            reply(committed.clone());
        }
        committed
    }

    /// What each waiting command is answered, to be remembered now and told once it is true.
    fn answers(
        &self,
        asked: Vec<Ask>,
        ending: &Ending,
        draft: &Draft,
    ) -> (Vec<Remembered>, Vec<Reply>) {
        let worker = &draft.next.worker;
        let at = worker.updated_at;
        let mut answers = Vec::new();
        let mut replies: Vec<Reply> = Vec::new();
        for ask in asked {
            match ask {
                Ask::Cancel {
                    mut command,
                    answer,
                } => {
                    let was_cancelled = ending.outcome == Outcome::Cancelled;
                    let value = Cancelled {
                        worker: worker.clone(),
                        cancelled_run_id: was_cancelled.then(|| self.run_id.clone()),
                    };
                    answers.extend(command.remember(&value, at).ok().flatten());
                    replies.push(Box::new(move |committed| {
                        let _ = answer.send(in_the_end(committed).map(|()| value));
                    }));
                }
                Ask::Stop {
                    mut command,
                    answer,
                    ..
                } => {
                    let value = Stopped {
                        worker: worker.clone(),
                    };
                    answers.extend(command.remember(&value, at).ok().flatten());
                    replies.push(Box::new(move |committed| {
                        let _ = answer.send(in_the_end(committed).map(|()| value));
                    }));
                }
            }
        }
        (answers, replies)
    }
}

type Reply = Box<dyn FnOnce(Result<(), RuntimeError>) + Send>;

/// A command that has ended the executor did change something, even if nothing was written.
fn in_the_end(committed: Result<(), RuntimeError>) -> Result<(), RuntimeError> {
    committed.map_err(|error| match error {
        RuntimeError::StoreFailed { .. } => RuntimeError::StoreFailed {
            effect: Effect::Unknown,
        },
        other => other,
    })
}
