//! Every operation × every fault × every place, against a real Backend.
//!
//! A cell is one operation that a caller asks a Backend for while one fault happens. [`run`] takes
//! them all and says of each what came of it; whatever contradicts the contract's link table, tells
//! an effect that is not true, shows a secret or takes too long is a [`Cell::wrong`]. What remains
//! is for people to review: each cell is a line of text, made for a snapshot.
//!
//! ```
//! use yoi_testkit::Fault;
//! use yoi_testkit::matrix::{Pace, Place, Plan, run};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let plan = Plan::all().only(Place::Remote).only_fault(Fault::ConnectionRefused);
//! for cell in run(&plan, &Pace::default()).await {
//!     assert_eq!(cell.wrong, Vec::<String>::new(), "{cell}");
//!     println!("{cell}");
//! }
//! # }
//! ```

mod ask;
mod cell;
mod judge;
mod pace;
mod place;
mod plan;
mod scene;
mod seen;
mod stage;
mod truth;
mod watch;

use futures_util::{StreamExt, stream};

pub use cell::{Cell, Found};
pub use pace::Pace;
pub use place::Place;
pub use plan::{Plan, Times};
pub use seen::{Answered, Closed, Told, Tries, Watched};

/// Takes every cell of the plan, and gives them in its order.
///
/// Stages (a Backend with its Runtime and one fault) run several at a time; the operations of one
/// stage run at the same time.
///
/// # Panics
/// When a stage cannot be set up, or a fault that applies never happened.
pub async fn run(plan: &Plan, pace: &Pace) -> Vec<Cell> {
    let mut stages: Vec<_> = plan.stages().enumerate().collect();
    // Those in which time passes come first, and the others while it does.
    stages.sort_by_key(|(_, (_, fault))| !Pace::passes_time(*fault));
    let stages = stages
        .into_iter()
        .map(|(number, (place, fault))| async move {
            let operations = plan.operations(place, fault);
            let cells = stage::play(place, fault, plan.times(), operations, pace).await;
            (number, cells)
        });
    let mut played: Vec<(usize, Vec<Cell>)> = stream::iter(stages)
        .buffer_unordered(pace.stages_at_once)
        .collect()
        .await;
    played.sort_by_key(|(number, _)| *number);
    played.into_iter().flat_map(|(_, cells)| cells).collect()
}
