//! Which cells are taken.

use yoi_protocol::Operation;

use super::Place;
use crate::Fault;

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// Whenever the operation is tried: what the Backend says in the end.
    Always,
    /// The first time: whether the Backend tries again what it may, and nothing else.
    Once,
}

/// Which cells are taken: all, unless it is told otherwise.
///
/// ```
/// use yoi_testkit::Family;
/// use yoi_testkit::matrix::{Place, Plan};
///
/// let streams = Plan::all().only(Place::Fake).faults(|fault| fault.family() == Family::Stream);
/// let retried = Plan::all().once();
/// # let _ = (streams, retried);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a plan does nothing until it is run"]
pub struct Plan {
    places: Vec<Place>,
    faults: Vec<Fault>,
    times: Times,
}

impl Plan {
    /// Every operation, every fault, every place, each fault as often as the Backend tries.
    pub fn all() -> Self {
        Self {
            places: Place::ALL.to_vec(),
            faults: Fault::all().collect(),
            times: Times::Always,
        }
    }

    /// Each fault only the first time.
    pub fn once(mut self) -> Self {
        self.times = Times::Once;
        self
    }

    /// Only this place.
    pub fn only(mut self, place: Place) -> Self {
        self.places.retain(|other| *other == place);
        self
    }

    /// Only this fault.
    pub fn only_fault(mut self, fault: Fault) -> Self {
        self.faults = vec![fault];
        self
    }

    /// Only the faults that are wanted.
    pub fn faults(mut self, wanted: impl Fn(Fault) -> bool) -> Self {
        self.faults.retain(|fault| wanted(*fault));
        self
    }

    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// Every place with every fault, fault by fault.
    pub(super) fn stages(&self) -> impl Iterator<Item = (Place, Fault)> {
        let places = &self.places;
        self.faults
            .iter()
            .flat_map(move |fault| places.iter().map(|place| (*place, *fault)))
    }

    /// Every operation, and why the fault cannot happen to it there.
    pub(super) fn operations(
        &self,
        place: Place,
        fault: Fault,
    ) -> Vec<(Operation, Option<&'static str>)> {
        let operations = Operation::ALL.iter();
        operations
            .map(|operation| (*operation, place.why_not(fault, *operation)))
            .collect()
    }
}
