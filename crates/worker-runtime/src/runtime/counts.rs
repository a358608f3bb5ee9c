//! How many Workers there are, by status.

use std::sync::atomic::{AtomicU64, Ordering};

use yoi_protocol::{WorkerCounts, WorkerStatus};

/// Kept in step with every change, so that telling them costs nothing.
#[derive(Debug, Default)]
pub(super) struct Counts {
    idle: AtomicU64,
    running: AtomicU64,
    stopped: AtomicU64,
}

impl Counts {
    /// A Worker went from one status to another; `None` is where it is not known yet or no more.
    pub(super) fn moved(&self, from: Option<WorkerStatus>, to: Option<WorkerStatus>) {
        if from == to {
            return;
        }
        if let Some(to) = to {
            self.of(to).fetch_add(1, Ordering::AcqRel);
        }
        if let Some(from) = from {
            self.of(from).fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(super) fn now(&self) -> WorkerCounts {
        let [idle, running, stopped] = [
            WorkerStatus::Idle,
            WorkerStatus::Running,
            WorkerStatus::Stopped,
        ]
        .map(|status| self.of(status).load(Ordering::Acquire));
        WorkerCounts {
            total: idle + running + stopped,
            idle,
            running,
            stopped,
        }
    }

    fn of(&self, status: WorkerStatus) -> &AtomicU64 {
        match status {
            WorkerStatus::Idle => &self.idle,
            WorkerStatus::Running => &self.running,
            WorkerStatus::Stopped => &self.stopped,
        }
    }
}
