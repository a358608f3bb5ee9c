//! What happened in a run, as its clients saw it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use yoi_protocol::{Event, InputAccepted, Worker, WorkerId};

/// What happened in a run. Everybody in it has the same one.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    trace: Vec<String>,
    created: BTreeSet<WorkerId>,
    told: Vec<Told>,
    seen: Vec<Seen>,
    found: Vec<Worker>,
    done: usize,
}

/// An input that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) content: String,
    pub(crate) accepted: InputAccepted,
}

/// Everything that one watcher saw of its Worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// What it began with, and the sequence number of that.
    pub(crate) first: Option<(u64, Event)>,
    /// What followed, without a gap.
    pub(crate) events: Vec<Event>,
    pub(crate) worker: Option<WorkerId>,
}

impl Ledger {
    /// Notes that something happened, for those who compare runs.
    pub(crate) fn trace(&self, who: &str, what: impl std::fmt::Display) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        let at = Duration::from_millis(u64::try_from(at.as_millis()).unwrap());
        self.lock().trace.push(format!("{at:>8?} {who} {what}"));
    }

    pub(crate) fn is_created(&self, worker: &WorkerId) -> bool {
        self.lock().created.contains(worker)
    }

    pub(crate) fn created(&self, worker: Worker) {
        self.lock().created.insert(worker.worker_id);
    }

    pub(crate) fn told(&self, told: Told) {
        self.lock().told.push(told);
    }

    pub(crate) fn saw(&self, seen: Seen) {
        self.lock().seen.push(seen);
    }

    /// This is what a Backend says of a Worker when all is over.
    pub(crate) fn found(&self, worker: Worker) {
        self.lock().found.push(worker);
    }

    /// Somebody has nothing left to do.
    pub(crate) fn done(&self) {
        self.lock().done += 1;
    }

    /// How many have nothing left to do.
    pub(crate) fn count_done(&self) -> usize {
        self.lock().done
    }

    pub(crate) fn all_told(&self) -> Vec<Told> {
        self.lock().told.clone()
    }

    pub(crate) fn all_seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    pub(crate) fn all_found(&self) -> Vec<Worker> {
        self.lock().found.clone()
    }

    pub(crate) fn take_trace(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().trace)
    }

    /// The last things that happened, for who has to find out why a run got stuck.
    pub(crate) fn last(&self) -> String {
        let inner = self.lock();
        let from = inner.trace.len().saturating_sub(30);
        inner.trace[from..].join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}
