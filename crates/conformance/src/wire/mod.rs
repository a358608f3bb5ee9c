//! The checks that only bytes can answer: heads, problems, guards, limits, and how streams end.

mod ask;
mod bodies;
mod commands;
mod credential;
mod guards;
mod heads;
mod problems;
mod reply;
mod server_sent;
mod socket;
mod sse;
mod upkeep;
mod websocket;

pub use ask::Wire;

use crate::catalogue::Check;
use crate::report::Checked;

const ALL: &[&[Check<Wire>]] = &[
    upkeep::CHECKS,
    heads::CHECKS,
    problems::CHECKS,
    bodies::CHECKS,
    commands::CHECKS,
    credential::CHECKS,
    guards::CHECKS,
    websocket::CHECKS,
    server_sent::CHECKS,
];

/// Every check, in the order in which they are run.
pub fn checks() -> impl Iterator<Item = &'static Check<Wire>> {
    ALL.iter().copied().flatten()
}

/// Runs every check, one after the other, and stops what each has made.
pub async fn run(wire: &Wire) -> Vec<Checked> {
    let mut all = Vec::new();
    for check in checks() {
        all.push(check.run(wire).await);
        wire.bench().tidy().await;
    }
    all
}
