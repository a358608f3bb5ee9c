//! One cell, and the line that it is in a snapshot.

use std::fmt;

use yoi_protocol::Operation;

use super::{Answered, Place, Watched};
use crate::Fault;

/// One operation, one fault, one place, and what came of it.
///
/// ```
/// use yoi_protocol::Operation;
/// use yoi_testkit::Fault;
/// use yoi_testkit::matrix::{Found, Plan, Place, Pace, run};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let plan = Plan::all().only(Place::Embedded).only_fault(Fault::NotHttp);
/// let cells = run(&plan, &Pace::default()).await;
/// assert_eq!(cells.len(), Operation::ALL.len());
/// assert!(cells.iter().all(|cell| matches!(cell.found, Found::Cannot(_))));
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Cell {
    /// Where the Runtime is.
    pub place: Place,
    /// What was asked for.
    pub operation: Operation,
    /// What went wrong.
    pub fault: Fault,
    /// What came of it.
    pub found: Found,
    /// What contradicts the contract: nothing, if all is well.
    pub wrong: Vec<String>,
}

/// What came of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// There is no such cell, and why.
    Cannot(&'static str),
    /// The caller was answered.
    Answered(Answered),
    /// The watcher saw this.
    Watched(Watched),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, operation) = (self.fault.to_string(), self.operation.as_str());
        write!(
            f,
            "{fault:<34} {operation:<18} {:<8}  ",
            self.place.as_str()
        )?;
        match &self.found {
            Found::Cannot(why) => write!(f, "-- {why}"),
            Found::Answered(answered) => answered.fmt(f),
            Found::Watched(watched) => watched.fmt(f),
        }
    }
}
