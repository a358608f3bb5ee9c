//! What a proxy, its guards and its detour know together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use yoi_protocol::{Operation, RuntimeId};

use super::Exchange;
use super::taken::Taken;
use crate::fault::{Deed, Elsewhere, Fault, Injection};

/// The state of one proxy.
pub(super) struct Shared {
    pub(super) runtime_id: RuntimeId,
    pub(super) seed: u64,
    pub(super) slow: Duration,
    state: Mutex<State>,
    /// Counts what happens: streams and those who wait look again.
    changes: watch::Sender<u64>,
}

struct State {
    injected: Vec<Slot>,
    next_id: u64,
    exchanges: Vec<Exchange>,
}

struct Slot {
    id: u64,
    injection: Injection,
    fired: usize,
    /// How many it is about to happen to.
    taken: usize,
    over: bool,
}

impl Slot {
    fn is_open(&self) -> bool {
        let due = self.fired + self.taken;
        !self.over && self.injection.first.is_none_or(|first| due < first)
    }
}

impl Shared {
    pub(super) fn new(runtime_id: RuntimeId, seed: u64, slow: Duration) -> Self {
        Self {
            runtime_id,
            seed,
            slow,
            state: Mutex::new(State {
                injected: Vec::new(),
                next_id: 0,
                exchanges: Vec::new(),
            }),
            changes: watch::Sender::new(0),
        }
    }

    /// Adds a fault, and gives its number.
    pub(super) fn inject(&self, injection: Injection) -> u64 {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.injected.push(Slot {
            id,
            injection,
            fired: 0,
            taken: 0,
            over: false,
        });
        drop(state);
        self.changed();
        id
    }

    /// Ends a fault.
    pub(super) fn undo(&self, id: u64) {
        if let Some(slot) = self.lock().slot(id) {
            slot.over = true;
        }
        self.changed();
    }

    /// How often a fault has happened.
    pub(super) fn fired(&self, id: u64) -> usize {
        self.lock().slot(id).map_or(0, |slot| slot.fired)
    }

    /// The first fault that would happen here; nothing is counted yet.
    pub(super) fn find(
        &self,
        operation: Option<Operation>,
        fits: impl Fn(u64, &Deed) -> bool,
    ) -> Option<(u64, Fault)> {
        let state = self.lock();
        state.injected.iter().find_map(|slot| {
            let fault = slot.injection.fault;
            let happens =
                slot.is_open() && slot.injection.meets(operation) && fits(slot.id, &fault.deed());
            happens.then_some((slot.id, fault))
        })
    }

    /// Takes a fault for an exchange, unless it is over meanwhile: nobody else can have this turn of
    /// it, and it counts when it was done.
    pub(super) fn take(&self, id: u64, exchange: usize) -> Option<Taken<'_>> {
        let mut state = self.lock();
        let slot = state.slot(id).filter(|slot| slot.is_open())?;
        slot.taken += 1;
        Some(Taken::new(self, id, slot.injection.fault, exchange))
    }

    /// Takes the first fault of its kind for an exchange.
    pub(super) fn take_first(
        &self,
        exchange: usize,
        operation: Option<Operation>,
        fits: impl Fn(&Deed) -> bool,
    ) -> Option<Taken<'_>> {
        loop {
            let (id, _) = self.find(operation, |_, deed| fits(deed))?;
            if let Some(taken) = self.take(id, exchange) {
                return Some(taken);
            }
        }
    }

    /// Ends a turn of a fault: it was done to the exchange, or it was not.
    pub(super) fn settle(&self, id: u64, exchange: usize, done: bool) {
        let mut state = self.lock();
        let slot = state.slot(id).expect("what was taken was injected");
        slot.taken -= 1;
        if done {
            slot.fired += 1;
            let fault = slot.injection.fault;
            state.exchanges[exchange].fault = Some(fault);
        }
        drop(state);
        self.changed();
    }

    /// Where a request is sent that is not to come by: if that is what the first of all faults of
    /// requests does. What comes by meets the others.
    pub(super) fn astray(&self, line: String, operation: Option<Operation>) -> Option<Elsewhere> {
        let of_requests = |_: u64, deed: &Deed| match deed {
            Deed::Elsewhere(_) | Deed::InPlace(_) | Deed::Spoiled(_) | Deed::Asked(_) => true,
            Deed::Rotated | Deed::Stream(_) | Deed::Inside(_) => false,
        };
        let (id, first) = self.find(operation, of_requests)?;
        let Deed::Elsewhere(place) = first.deed() else {
            return None;
        };
        let exchange = self.note(line, operation);
        self.take(id, exchange)?.done();
        Some(place)
    }

    /// Notes a request, which is not forwarded yet, and gives its number.
    pub(super) fn note(&self, line: String, operation: Option<Operation>) -> usize {
        let mut state = self.lock();
        state.exchanges.push(Exchange {
            line,
            operation,
            forwarded: false,
            fault: None,
        });
        state.exchanges.len() - 1
    }

    pub(super) fn forwarded(&self, exchange: usize) {
        self.lock().exchanges[exchange].forwarded = true;
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.clone()
    }

    /// The chance of one exchange. It follows from the seed, from what is asked and from how often
    /// that was asked before, and not from what else is going on.
    pub(super) fn chance(&self, exchange: usize) -> Rng {
        let state = self.lock();
        let line = &state.exchanges[exchange].line;
        let before = &state.exchanges[..exchange];
        let before = before.iter().filter(|other| other.line == *line).count() as u64;
        let parts = [
            &self.seed.to_le_bytes()[..],
            &before.to_le_bytes(),
            line.as_bytes(),
        ];
        Rng::with_seed(fnv(&parts.concat()))
    }

    /// Changes whenever a fault begins, happens or ends.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a: the same in every build, which the hashers of the standard library do not promise.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl State {
    fn slot(&mut self, id: u64) -> Option<&mut Slot> {
        self.injected.iter_mut().find(|slot| slot.id == id)
    }
}
