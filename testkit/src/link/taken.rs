//! One turn of a fault.

use super::shared::Shared;
use crate::Fault;

/// One turn of a fault, which nobody else can have. It counts once it is [`done`](Self::done);
/// dropped before, it is given back: the Runtime did not answer, or nothing was there to spoil.
pub(super) struct Taken<'a> {
    shared: &'a Shared,
    id: u64,
    exchange: usize,
    fault: Fault,
    done: bool,
}

impl<'a> Taken<'a> {
    pub(super) fn new(shared: &'a Shared, id: u64, fault: Fault, exchange: usize) -> Self {
        Self {
            shared,
            id,
            exchange,
            fault,
            done: false,
        }
    }

    /// Which fault.
    pub(super) fn fault(&self) -> Fault {
        self.fault
    }

    /// Nothing is in its way any more. Said before the far end can notice, so that who has noticed
    /// finds it counted.
    pub(super) fn done(mut self) -> Fault {
        self.done = true;
        self.fault
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.shared.settle(self.id, self.exchange, self.done);
    }
}
