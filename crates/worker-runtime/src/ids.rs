//! Where new identifiers come from.

use uuid::Uuid;
use yoi_protocol::{BootId, RunId, WorkerId};

/// Makes the unique part of every identifier that the Runtime generates.
///
/// Injected, so that tests repeat. No value may come twice, neither in this process nor in an
/// earlier one on the same store: cursors rely on it to tell one life of a Worker from another.
pub trait IdSource: Send + Sync {
    /// A value that never came before.
    fn next(&self) -> Uuid;
}

/// UUIDv7: random, and rising with time.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

pub(crate) fn worker_id(ids: &dyn IdSource) -> WorkerId {
    WorkerId::parse(&format!("w-{}", ids.next())).expect("a prefix and a uuid are a valid id")
}

pub(crate) fn run_id(ids: &dyn IdSource) -> RunId {
    RunId::parse(&format!("run-{}", ids.next())).expect("a prefix and a uuid are a valid id")
}

pub(crate) fn boot_id(ids: &dyn IdSource) -> BootId {
    BootId::parse(&format!("boot-{}", ids.next())).expect("a prefix and a uuid are a valid id")
}
