//! Making checks one after the other, and knowing when to stop.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::time::Instant;

use crate::bench::Bench;
use crate::catalogue::Check;
use crate::report::{Checked, Outcome};

/// After how many checks in a row that waited in vain nothing more is asked.
const IN_VAIN: u32 = 3;

/// How a course of checks goes.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// When it must be over.
    pub(crate) until: Option<Instant>,
    in_vain: AtomicU32,
    /// Whether a check was not made for either.
    cut_short: AtomicBool,
}

impl Course {
    /// Why no other check is made, if none is.
    fn over(&self) -> Option<String> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Some("the time for all checks together is over".to_owned());
        }
        let in_vain = self.in_vain.load(Ordering::Relaxed);
        (in_vain >= IN_VAIN)
            .then(|| format!("the runtime did not answer in time in {in_vain} checks in a row"))
    }

    /// Whether the rest was not made, because the time was over or nobody answered.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// What a check came to. One that was skipped says nothing of the Runtime.
    fn note(&self, outcome: &Outcome, is_late: bool) {
        match outcome {
            Outcome::Failed { .. } if is_late => {
                self.in_vain.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Passed | Outcome::Failed { .. } => self.in_vain.store(0, Ordering::Relaxed),
            Outcome::Skipped { .. } => {}
        }
    }
}

/// Makes each check, tells it, and stops the Workers that it made.
pub(crate) async fn run<T: AsRef<Bench> + 'static>(
    checks: impl Iterator<Item = &'static Check<T>>,
    on: &T,
    told: &mut (dyn FnMut(&Checked) + Send),
) -> Vec<Checked> {
    let bench = on.as_ref();
    let mut all = Vec::new();
    for check in checks {
        let checked = match bench.course().over() {
            Some(reason) => {
                bench.course().cut_short.store(true, Ordering::Relaxed);
                check.with(Outcome::Skipped { reason })
            }
            None => {
                let (checked, is_late) = check.look(on).await;
                bench.course().note(&checked.outcome, is_late);
                bench.tidy().await;
                checked
            }
        };
        told(&checked);
        all.push(checked);
    }
    all
}
