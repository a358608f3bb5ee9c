//! What a proxy, its guards and its detour know together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use yoi_protocol::{Operation, RuntimeId};

use super::Exchange;
use crate::fault::{Deed, Fault, Injection};

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
    chance: Rng,
    injected: Vec<Slot>,
    next_id: u64,
    exchanges: Vec<Exchange>,
}

struct Slot {
    id: u64,
    injection: Injection,
    fired: usize,
    over: bool,
}

impl Slot {
    fn is_open(&self) -> bool {
        !self.over && self.injection.first.is_none_or(|first| self.fired < first)
    }
}

impl Shared {
    pub(super) fn new(runtime_id: RuntimeId, seed: u64, slow: Duration) -> Self {
        Self {
            runtime_id,
            seed,
            slow,
            state: Mutex::new(State {
                chance: Rng::with_seed(seed),
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

    /// Lets a fault happen to an exchange; `false` when it is over meanwhile.
    pub(super) fn fire(&self, id: u64, exchange: usize) -> bool {
        let mut state = self.lock();
        let Some(slot) = state.slot(id).filter(|slot| slot.is_open()) else {
            return false;
        };
        slot.fired += 1;
        let fault = slot.injection.fault;
        state.exchanges[exchange].fault = Some(fault);
        drop(state);
        self.changed();
        true
    }

    /// Lets the first fault of its kind happen to a request that does not come by.
    pub(super) fn astray(
        &self,
        line: String,
        operation: Option<Operation>,
        fits: impl Fn(&Deed) -> bool,
    ) -> Option<Fault> {
        self.find(operation, |_, deed| fits(deed))?;
        let exchange = self.note(line, operation);
        self.take(exchange, operation, fits)
    }

    /// Lets the first fault of its kind happen to an exchange.
    pub(super) fn take(
        &self,
        exchange: usize,
        operation: Option<Operation>,
        fits: impl Fn(&Deed) -> bool,
    ) -> Option<Fault> {
        loop {
            let (id, fault) = self.find(operation, |_, deed| fits(deed))?;
            if self.fire(id, exchange) {
                return Some(fault);
            }
        }
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

    /// A chance of its own for one exchange.
    pub(super) fn chance(&self) -> Rng {
        self.lock().chance.fork()
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

impl State {
    fn slot(&mut self, id: u64) -> Option<&mut Slot> {
        self.injected.iter_mut().find(|slot| slot.id == id)
    }
}
