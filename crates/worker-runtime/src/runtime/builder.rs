//! Putting a Runtime together.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::RandomState;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::{Limits, RuntimeId};

use super::counts::Counts;
use super::{Inner, Runtime};
use crate::clock::{Clock, SystemClock};
use crate::error::StartError;
use crate::executor::EchoExecutor;
use crate::idempotency::{KEEP_MS, Keys};
use crate::ids::{self, IdSource, RandomIds};
use crate::profile::ProfileSpec;
use crate::quota::Quota;
use crate::store::{MemoryStore, Store};

/// A Runtime before it starts. Cloned, it starts more than one that is alike.
#[derive(Clone)]
#[must_use]
pub struct RuntimeBuilder {
    id: RuntimeId,
    display_name: Option<String>,
    limits: Limits,
    profiles: BTreeMap<String, ProfileSpec>,
    default_profile: String,
    store: Option<Arc<dyn Store>>,
    ids: Arc<dyn IdSource>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("id", &self.id)
            .field("display_name", &self.display_name)
            .field("limits", &self.limits)
            .field("profiles", &self.profiles)
            .field("default_profile", &self.default_profile)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// A Runtime of this name, with the profile `echo`, default limits and a memory store unless
    /// it is told otherwise.
    pub fn builder(id: RuntimeId) -> RuntimeBuilder {
        let echo = ProfileSpec {
            executor: Arc::new(EchoExecutor),
            description: Some("Answers with what it is told".to_owned()),
        };
        RuntimeBuilder {
            id,
            display_name: None,
            limits: Limits::default(),
            profiles: BTreeMap::from([("echo".to_owned(), echo)]),
            default_profile: "echo".to_owned(),
            store: None,
            ids: Arc::new(RandomIds),
            clock: Arc::new(SystemClock),
        }
    }
}

impl RuntimeBuilder {
    /// A name for people, 1 to 128 characters without control characters.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// What it bounds, and to what.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a profile, or replaces the one of that name.
    pub fn profile(mut self, name: impl Into<String>, spec: ProfileSpec) -> Self {
        self.profiles.insert(name.into(), spec);
        self
    }

    /// The profile of Workers that are created without one; `echo` unless said.
    pub fn default_profile(mut self, name: impl Into<String>) -> Self {
        self.default_profile = name.into();
        self
    }

    /// Where the logs are kept; in memory unless said.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where identifiers come from.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Where the time of events comes from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Reads the store and starts.
    ///
    /// Workers that the store knows are there again; a run that was active when the earlier
    /// process ended is recorded as `failed` with code `interrupted`.
    ///
    /// # Errors
    /// [`StartError`]: a setting that cannot be kept, or a store that cannot be read.
    pub async fn start(self) -> Result<Runtime, StartError> {
        self.check()?;
        let limits = self.limits;
        let store = self.store.unwrap_or_else(|| {
            let (max_events, max_bytes) = (limits.max_worker_events, limits.max_worker_bytes);
            Arc::new(MemoryStore::new(max_events, max_bytes))
        });
        let inner = Arc::new(Inner {
            id: self.id,
            boot_id: ids::boot_id(&*self.ids),
            display_name: self.display_name,
            started_at: self.clock.now(),
            profiles: self.profiles,
            default_profile: self.default_profile,
            keys: Keys::new(limits.max_idempotency_keys, Arc::clone(&store)),
            store,
            ids: self.ids,
            clock: self.clock,
            places: Quota::new(limits.max_workers),
            run_places: Quota::new(limits.max_runs),
            stream_places: Quota::new(limits.max_streams),
            counts: Counts::default(),
            commands: TaskTracker::new(),
            runs: TaskTracker::new(),
            draining: AtomicBool::new(false),
            store_failed: AtomicBool::new(false),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
            catalog: RwLock::default(),
            create_gates: Inner::new_create_gates(),
            gate_hasher: RandomState::new(),
            stopped: Mutex::default(),
            limits,
        });
        inner.recover().await?;
        inner.forget_due();
        inner.keep_forgetting();
        Ok(Runtime { inner })
    }

    fn check(&self) -> Result<(), StartError> {
        let name = self.display_name.as_deref();
        if name.is_some_and(|name| !yoi_protocol::worker::is_display_name(name)) {
            return Err(StartError::DisplayName);
        }
        if !self.profiles.contains_key(&self.default_profile) {
            return Err(StartError::DefaultProfile {
                name: self.default_profile.clone(),
            });
        }
        if self.limits.retain_stopped_ms < LEAST_RETAIN_STOPPED_MS {
            return Err(StartError::Limit {
                name: "retain_stopped_ms",
                rule: "must be at least 86400000, a day",
            });
        }
        // None may be 0: that would be a Runtime that can do nothing at all.
        match self.limits.entries().iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(StartError::Limit {
                name,
                rule: "must be at least 1",
            }),
            None => Ok(()),
        }
    }
}

/// A day: as long as an idempotency key is remembered, so that a key never outlives its Worker.
const LEAST_RETAIN_STOPPED_MS: u64 = KEEP_MS;
