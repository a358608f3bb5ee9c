//! What is to fail, and when.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Failure, Kind, Op, SimDisk};

/// Which operation fails, counted from 0 and from when the failure is planned.
pub(crate) struct Nth {
    matches: Box<dyn Fn(&Op) -> bool + Send + Sync>,
    first: usize,
    onwards: bool,
}

impl Nth {
    /// The `n`-th of all.
    pub(crate) fn op(n: usize) -> Self {
        Self::when(n, |_| true)
    }

    /// The `n`-th of a kind.
    pub(crate) fn of(kind: Kind, n: usize) -> Self {
        Self::when(n, move |op| op.kind == kind)
    }

    /// The `n`-th of those that match.
    pub(crate) fn when(n: usize, matches: impl Fn(&Op) -> bool + Send + Sync + 'static) -> Self {
        Self {
            matches: Box::new(matches),
            first: n,
            onwards: false,
        }
    }

    /// And all that match after it.
    pub(crate) fn onwards(mut self) -> Self {
        self.onwards = true;
        self
    }
}

/// A planned failure. It ends when this is dropped, and the test fails if it never happened.
#[must_use = "a failure is planned for as long as this is kept"]
pub(crate) struct Fault {
    disk: SimDisk,
    fired: Arc<AtomicUsize>,
    optional: bool,
}

impl Fault {
    /// How often it happened.
    pub(crate) fn fired(&self) -> usize {
        self.fired.load(Ordering::SeqCst)
    }

    /// It may as well never happen.
    pub(crate) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.disk.shared().plan.end(&self.fired);
        if !self.optional && !thread::panicking() {
            assert!(self.fired() > 0, "a planned failure never happened");
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fault")
    }
}

/// All that is planned, and what happened so far.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) ops: Vec<Op>,
    pub(super) stop_at: Option<usize>,
    pub(super) stopped: bool,
    faults: Vec<Planned>,
}

struct Planned {
    nth: Nth,
    seen: usize,
    failure: Failure,
    fired: Arc<AtomicUsize>,
}

impl Plan {
    pub(super) fn add(&mut self, disk: SimDisk, nth: Nth, failure: Failure) -> Fault {
        let fired = Arc::new(AtomicUsize::new(0));
        self.faults.push(Planned {
            nth,
            seen: 0,
            failure,
            fired: Arc::clone(&fired),
        });
        Fault {
            disk,
            fired,
            optional: false,
        }
    }

    /// Records an operation, and says how it is to fail.
    pub(super) fn start(&mut self, mut op: Op) -> io::Result<Option<Failure>> {
        op.index = self.ops.len();
        if self.stop_at.is_some_and(|stop| op.index >= stop) {
            self.stopped = true;
            return Err(io::Error::other("the machine is off"));
        }
        let mut failure = None;
        for fault in &mut self.faults {
            if !(fault.nth.matches)(&op) {
                continue;
            }
            let place = fault.seen;
            fault.seen += 1;
            let due = place == fault.nth.first || fault.nth.onwards && place > fault.nth.first;
            if due && failure.is_none() {
                assert!(fault.failure.fits(op.kind), "{op:?} cannot fail like that");
                fault.fired.fetch_add(1, Ordering::SeqCst);
                failure = Some(fault.failure);
            }
        }
        self.ops.push(op);
        Ok(failure)
    }

    /// Records how the latest operation failed.
    pub(super) fn failed(&mut self, kind: io::ErrorKind) {
        if let Some(op) = self.ops.last_mut() {
            op.failed = Some(kind);
        }
    }

    fn end(&mut self, fired: &Arc<AtomicUsize>) {
        self.faults
            .retain(|fault| !Arc::ptr_eq(&fault.fired, fired));
    }
}
