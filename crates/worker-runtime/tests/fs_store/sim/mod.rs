//! A disk in memory that fails when it is told to, and forgets what was never synced.
//!
//! It keeps what POSIX promises and no more, so a store that passes on it relies on nothing that
//! a real disk may take away. All that it does is decided by its plan and a seed: a failing test
//! fails again.

mod content;
mod disk;
mod failure;
mod file;
mod loss;
mod op;
mod plan;
mod rot;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use content::SECTOR;
pub(crate) use failure::Failure;
pub(crate) use loss::Loss;
pub(crate) use op::{Kind, Op};
pub(crate) use plan::{Fault, Nth};

use failure::Effect;
use plan::Plan;
use state::State;

/// A disk in memory. A clone is the same disk.
#[derive(Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    state: State,
    plan: Plan,
}

impl SimDisk {
    /// An empty disk without end.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn with(state: State) -> Self {
        let plan = Plan::default();
        Self(Arc::new(Mutex::new(Shared { state, plan })))
    }

    /// Every operation so far, also those that failed.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.shared().plan.ops.clone()
    }

    /// How many operations of a kind there were.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let shared = self.shared();
        shared.plan.ops.iter().filter(|op| op.kind == kind).count()
    }

    /// Plans a failure, for as long as what is returned is kept. It must come to happen.
    pub(crate) fn fail(&self, nth: Nth, failure: Failure) -> Fault {
        self.shared().plan.add(self.clone(), nth, failure)
    }

    /// Turns the machine off before the operation of this index: that one and all that follow fail
    /// and do nothing.
    pub(crate) fn stop_at(&self, index: usize) {
        self.shared().plan.stop_at = Some(index);
    }

    /// Whether an operation has found the machine off.
    pub(crate) fn stopped(&self) -> bool {
        self.shared().plan.stopped
    }

    /// Lets the disk hold so many bytes, also after a power loss. A file takes a sector for itself
    /// and one for each that was written or allocated.
    pub(crate) fn set_capacity(&self, bytes: u64) {
        self.shared().state.capacity = Some(bytes);
    }

    /// How many bytes are taken.
    pub(crate) fn used(&self) -> u64 {
        self.shared().state.used()
    }

    /// What a process started after `kill -9` finds: all that was written, and no lock. What was
    /// not synced is still not.
    pub(crate) fn killed(&self) -> Self {
        Self::with(self.shared().state.restarted())
    }

    /// Every file as it is read now.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared().state.files()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and does as much of it as is planned.
    fn run<T>(
        &self,
        describe: impl FnOnce(&State) -> Op,
        act: impl FnOnce(&mut State, Effect) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut shared = self.shared();
        let op = describe(&shared.state);
        let Some(failure) = shared.plan.start(op)? else {
            let ended = act(&mut shared.state, Effect::Whole);
            if let Err(error) = &ended {
                shared.plan.failed(error.kind());
            }
            return ended;
        };
        let done =
            (failure.effect != Effect::Nothing).then(|| act(&mut shared.state, failure.effect));
        let error = failure.into_error();
        shared.plan.failed(error.kind());
        drop(shared);
        // A handle or a lock that nobody gets takes the disk to end.
        drop(done);
        Err(error)
    }
}

/// Its files may be large.
impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimDisk")
    }
}
