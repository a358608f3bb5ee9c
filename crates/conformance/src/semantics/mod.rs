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

/// Runs every check, one after the other, and stops what each has made.
pub async fn run(bench: &Bench) -> Vec<Checked> {
    let mut all = Vec::new();
    for check in checks() {
        all.push(check.run(bench).await);
        bench.tidy().await;
    }
    all
}
