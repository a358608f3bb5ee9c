//! The checks that only bytes can answer: heads, problems, guards, limits, and how streams end.

mod ask;
mod bodies;
mod commands;
mod credential;
mod guards;
mod heads;
mod limits;
mod problems;
mod reply;
mod server_sent;
mod socket;
mod upkeep;
mod websocket;

pub use ask::Wire;

use crate::catalogue::Check;
use crate::course;
use crate::report::Checked;

/// Last come those that look back at every answer there was.
const ALL: &[&[Check<Wire>]] = &[
    limits::CHECKS,
    upkeep::CHECKS,
    commands::CHECKS,
    credential::CHECKS,
    guards::CHECKS,
    websocket::CHECKS,
    server_sent::CHECKS,
    bodies::CHECKS,
    heads::CHECKS,
    problems::CHECKS,
];

/// Every check, in the order in which they are run.
pub fn checks() -> impl Iterator<Item = &'static Check<Wire>> {
    ALL.iter().copied().flatten()
}

/// Runs every check, one after the other, and stops what each has made. Once the Runtime leaves
/// several in a row unanswered, the rest is skipped.
pub async fn run(wire: &Wire) -> Vec<Checked> {
    run_telling(wire, &mut |_| ()).await
}

/// The same, telling each check as it is made.
pub(crate) async fn run_telling(
    wire: &Wire,
    told: &mut (dyn FnMut(&Checked) + Send),
) -> Vec<Checked> {
    course::run(checks(), wire, told).await
}
