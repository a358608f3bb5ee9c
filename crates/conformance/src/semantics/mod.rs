//! The checks that need no wire: what a Runtime promises however it is asked.

mod cancelling;
mod creating;
mod cursors;
mod idempotency;
mod input;
mod listing;
mod observing;
mod runtime;
mod saying;
mod stopping;
mod transcript;

use crate::bench::Bench;
use crate::catalogue::Check;
use crate::course;
use crate::report::Checked;

const ALL: &[&[Check<Bench>]] = &[
    runtime::CHECKS,
    creating::CHECKS,
    listing::CHECKS,
    input::CHECKS,
    cancelling::CHECKS,
    stopping::CHECKS,
    transcript::CHECKS,
    idempotency::CHECKS,
    observing::CHECKS,
    cursors::CHECKS,
    saying::CHECKS,
];

/// Every check, in the order in which they are run.
pub fn checks() -> impl Iterator<Item = &'static Check<Bench>> {
    ALL.iter().copied().flatten()
}

/// Runs every check, one after the other, and stops what each has made. Once the Runtime leaves
/// several in a row unanswered, the rest is skipped.
pub async fn run(bench: &Bench) -> Vec<Checked> {
    run_telling(bench, &mut |_| ()).await
}

/// The same, telling each check as it is made.
pub(crate) async fn run_telling(
    bench: &Bench,
    told: &mut (dyn FnMut(&Checked) + Send),
) -> Vec<Checked> {
    course::run(checks(), bench, told).await
}
