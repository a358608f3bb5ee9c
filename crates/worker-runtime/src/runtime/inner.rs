//! What all clones of a Runtime share.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::{BootId, Limits, RuntimeId, Timestamp, WorkerId};

use super::counts::Counts;
use super::slot::Slot;
use crate::clock::Clock;
use crate::error::RuntimeError;
use crate::idempotency::Keys;
use crate::ids::IdSource;
use crate::profile::ProfileSpec;
use crate::quota::Quota;
use crate::store::{Condition, LogId, Store};

/// How many creates of different ids may be under way without waiting for each other.
const CREATE_GATES: usize = 64;

pub(super) struct Inner {
    pub(super) id: RuntimeId,
    pub(super) boot_id: BootId,
    pub(super) display_name: Option<String>,
    pub(super) started_at: Timestamp,
    pub(super) limits: Limits,
    pub(super) profiles: BTreeMap<String, ProfileSpec>,
    pub(super) default_profile: String,

    pub(super) store: Arc<dyn Store>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) clock: Arc<dyn Clock>,

    pub(super) keys: Arc<Keys>,
    pub(super) places: Arc<Quota>,
    pub(super) run_places: Arc<Quota>,
    pub(super) stream_places: Arc<Quota>,
    pub(super) counts: Counts,

    /// Commands under way, and active runs.
    pub(super) commands: TaskTracker,
    pub(super) runs: TaskTracker,
    /// Set before anything else of a drain.
    pub(super) draining: AtomicBool,
    /// Set when the store cannot tell what it kept; never unset.
    pub(super) store_failed: AtomicBool,
    /// Observations end.
    pub(super) closing: CancellationToken,
    /// Drain is over.
    pub(super) closed: CancellationToken,

    pub(super) catalog: RwLock<BTreeMap<WorkerId, Arc<Slot>>>,
    pub(super) create_gates: [tokio::sync::Mutex<()>; CREATE_GATES],
    pub(super) gate_hasher: RandomState,
    /// Stopped Workers, by when they were stopped.
    pub(super) stopped: Mutex<BTreeSet<(Timestamp, LogId)>>,
}

impl Inner {
    pub(super) fn new_create_gates() -> [tokio::sync::Mutex<()>; CREATE_GATES] {
        std::array::from_fn(|_| tokio::sync::Mutex::default())
    }

    /// One create of an id follows another.
    pub(super) fn create_gate(&self, worker_id: &WorkerId) -> &tokio::sync::Mutex<()> {
        let hash = self.gate_hasher.hash_one(worker_id);
        let index = usize::try_from(hash % CREATE_GATES as u64).unwrap_or_default();
        &self.create_gates[index]
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Whether the store can be relied on, as far as it or this Runtime can tell.
    pub(super) fn store_condition(&self) -> Condition {
        if self.store_failed.load(Ordering::SeqCst) {
            Condition::Failed
        } else {
            self.store.condition()
        }
    }

    pub(super) fn has_store_failed(&self) -> bool {
        self.store_condition() == Condition::Failed
    }

    pub(super) fn slot(&self, worker_id: &WorkerId) -> Result<Arc<Slot>, RuntimeError> {
        let slot = self.catalog().get(worker_id).cloned();
        slot.ok_or(RuntimeError::WorkerNotFound)
    }

    pub(super) fn catalog(&self) -> RwLockReadGuard<'_, BTreeMap<WorkerId, Arc<Slot>>> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn catalog_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<WorkerId, Arc<Slot>>> {
        self.catalog.write().unwrap_or_else(PoisonError::into_inner)
    }
}
