//! What a store is told when it is opened.

use std::sync::Arc;

use yoi_protocol::{Limits, RuntimeId};

use crate::clock::{Clock, SystemClock};

/// How a store is to be opened.
#[derive(Clone)]
#[must_use]
pub struct FsOptions {
    pub(super) runtime: RuntimeId,
    pub(super) retention: Retention,
    pub(super) segment_bytes: u64,
    pub(super) maintenance: Maintenance,
    pub(super) clock: Arc<dyn Clock>,
}

/// What is given up, the oldest first. A Worker itself is never given up, however old: only what
/// is told of its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The most events of one Worker.
    pub max_worker_events: u64,
    /// The most bytes of events of one Worker. Past it records are given up up to a thousand at a
    /// time, but never the last.
    pub max_worker_bytes: u64,
    /// The longest that an event is kept, in milliseconds, about: a whole segment goes once its
    /// latest event is older, and none spans more than an eighth of this. For ever when absent.
    pub max_age_ms: Option<u64>,
    /// About the most bytes of all the store's files; past it the events of whole segments go, the
    /// oldest first. The one that is written to is beside that, and so are answers to keys and the
    /// states of Workers as far as they take more than half of it: they are not given up. No bound
    /// when absent.
    pub max_bytes: Option<u64>,
}

/// Who looks after the store: gives up what is too old, and reads everything again now and then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Maintenance {
    /// A thread of the store's own.
    #[default]
    Background,
    /// Nobody, but who calls [`FsStore::maintain`](super::FsStore::maintain): for tests that want
    /// the same in every run.
    Manual,
}

/// The size of a segment: small enough that reading one that has no index takes no time, large
/// enough that there are few.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

impl FsOptions {
    /// The store of this Runtime, with what [`Limits`] has by default.
    pub fn new(runtime: RuntimeId) -> Self {
        Self {
            runtime,
            retention: Retention::of(&Limits::default()),
            segment_bytes: SEGMENT_BYTES,
            maintenance: Maintenance::Background,
            clock: Arc::new(SystemClock),
        }
    }

    /// What is given up.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// How large a file of the log becomes, in bytes; 16 MiB unless said, and at least 4 KiB. A
    /// record that is larger has a file to itself.
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes.clamp(4096, 1 << 30);
        self
    }

    /// Who looks after it.
    pub fn maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = maintenance;
        self
    }

    /// By which clock events get old.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Retention {
    /// What a Runtime's limits say, without a bound of age or of bytes of all.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            max_worker_events: limits.max_worker_events,
            max_worker_bytes: limits.max_worker_bytes,
            max_age_ms: None,
            max_bytes: None,
        }
    }
}

impl std::fmt::Debug for FsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FsOptions")
            .field("runtime", &self.runtime)
            .field("retention", &self.retention)
            .field("segment_bytes", &self.segment_bytes)
            .field("maintenance", &self.maintenance)
            .finish_non_exhaustive()
    }
}
