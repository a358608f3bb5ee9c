//! When a fault happens.

use yoi_protocol::Operation;

use super::Fault;

/// A fault, and to which requests it happens: to all, unless it is told otherwise.
///
/// ```
/// use yoi_protocol::Operation;
/// use yoi_testkit::{Fault, Injection};
///
/// let once: Injection = Fault::ResetInBody.on(Operation::SendInput).first(1);
/// # let _ = once;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "nothing happens until it is injected"]
pub struct Injection {
    pub(crate) fault: Fault,
    pub(crate) on: Option<Operation>,
    pub(crate) first: Option<usize>,
}

impl Injection {
    /// Only to requests for this operation: a Backend's own look at the Runtime is none.
    pub fn on(mut self, operation: Operation) -> Self {
        self.on = Some(operation);
        self
    }

    /// Only to the first `times` of them, or of the streams; the link recovers then. The guard
    /// fails the test if there were fewer.
    ///
    /// # Panics
    /// When that is none.
    pub fn first(mut self, times: usize) -> Self {
        assert!(
            times > 0,
            "the first 0 of something are nothing that could happen"
        );
        self.first = Some(times);
        self
    }

    /// Whether it is meant for a request like this.
    pub(crate) fn meets(&self, operation: Option<Operation>) -> bool {
        let wanted = self.on.is_none_or(|on| Some(on) == operation);
        let possible = match operation {
            Some(asked) => self.fault.applies_to(asked),
            None => self.fault.applies_to_a_look(),
        };
        wanted && possible
    }
}

impl From<Fault> for Injection {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            on: None,
            first: None,
        }
    }
}

impl Fault {
    /// This fault, to requests for one operation only.
    pub fn on(self, operation: Operation) -> Injection {
        Injection::from(self).on(operation)
    }

    /// This fault, to the first `times` requests or streams only.
    ///
    /// # Panics
    /// When that is none.
    pub fn first(self, times: usize) -> Injection {
        Injection::from(self).first(times)
    }
}
