//! `runtime_id` → Runtime: look-up and order only. It runs nothing and stores no Worker.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_client::Caps;
use yoi_protocol::{Failure, Operation, RuntimeEntry, RuntimeId, Source};

use crate::handle::{Embedded, Remote, RemoteError, RemoteSettings, RuntimeHandle};
use crate::presence::{Presence, PresenceSettings, Sight};
use crate::scrub::Scrubber;
use crate::telemetry::{self, LastSaid};

/// How long a whole operation on one Runtime may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimeouts {
    /// Any operation, over all attempts.
    pub request: Duration,
    /// Its part in a list of all Workers, and the background probe.
    pub list: Duration,
}

impl Default for CallTimeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(15),
            list: Duration::from_secs(2),
        }
    }
}

/// One Runtime, to be registered with a Backend. Cloned, it is the same Runtime, to be registered
/// with another.
#[derive(Clone)]
pub struct Registration {
    pub(crate) runtime_id: RuntimeId,
    pub(crate) display_name: Option<String>,
    pub(crate) source: Source,
    pub(crate) handle: Arc<dyn RuntimeHandle>,
    pub(crate) scrub: Scrubber,
    pub(crate) timeouts: CallTimeouts,
    pub(crate) visible: bool,
    pub(crate) allow: Option<Vec<Operation>>,
    pub(crate) embedded: Option<worker_runtime::Runtime>,
}

impl Registration {
    /// A Runtime inside this process. The Backend drains it when it ends.
    #[must_use]
    pub fn embedded(runtime: worker_runtime::Runtime) -> Self {
        let handle = Arc::new(Embedded::new(runtime.clone()));
        let mut registration = Self::custom(runtime.id().clone(), Source::Embedded, handle);
        registration.embedded = Some(runtime);
        registration
    }

    /// A Runtime in a process of its own.
    ///
    /// # Errors
    /// [`RemoteError`] for settings with which it cannot be reached.
    pub fn remote(runtime_id: RuntimeId, settings: &RemoteSettings) -> Result<Self, RemoteError> {
        let remote = Remote::new(runtime_id.clone(), settings)?;
        let scrub = remote.scrubber();
        let mut registration = Self::custom(runtime_id, Source::Remote, Arc::new(remote));
        registration.scrub = scrub;
        registration.timeouts.request = settings.timeouts.request;
        Ok(registration)
    }

    /// A Runtime behind a handle of the caller's.
    #[must_use]
    pub fn custom(runtime_id: RuntimeId, source: Source, handle: Arc<dyn RuntimeHandle>) -> Self {
        Self {
            runtime_id,
            display_name: None,
            source,
            handle,
            scrub: Scrubber::of(Vec::new()),
            timeouts: CallTimeouts::default(),
            visible: true,
            allow: None,
            embedded: None,
        }
    }

    /// A name for people; else what the Runtime calls itself, else its id.
    #[must_use]
    pub fn display_name(mut self, name: Option<String>) -> Self {
        self.display_name = name;
        self
    }

    /// Whether anyone may see it. What is not visible is answered as what is not there.
    #[must_use]
    pub fn visible(mut self, visible: bool) -> Self {
        self.visible = visible;
        self
    }

    /// The only operations that are allowed on it.
    #[must_use]
    pub fn allow(mut self, operations: Option<Vec<Operation>>) -> Self {
        self.allow = operations;
        self
    }

    /// How long operations may take.
    #[must_use]
    pub fn timeouts(mut self, timeouts: CallTimeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Texts that are hidden in what the Runtime says, beside its address and credential: the
    /// path of its store.
    #[must_use]
    pub fn hide(mut self, texts: Vec<String>) -> Self {
        self.scrub = self.scrub.and(texts);
        self
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("runtime_id", &self.runtime_id)
            .field("source", &self.source)
            .field("visible", &self.visible)
            .field("allow", &self.allow)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// One Runtime of the registry.
pub(crate) struct Entry {
    pub(crate) runtime_id: RuntimeId,
    display_name: Option<String>,
    source: Source,
    pub(crate) handle: Arc<dyn RuntimeHandle>,
    pub(crate) scrub: Scrubber,
    pub(crate) timeouts: CallTimeouts,
    pub(crate) presence: Presence,
    pub(crate) last_said: LastSaid,
    /// Whether the Backend drains it when it ends.
    pub(crate) ends_with_us: bool,
}

impl Entry {
    fn new(registration: Registration, ends_with_us: bool) -> Self {
        Self {
            ends_with_us,
            runtime_id: registration.runtime_id,
            display_name: registration.display_name,
            source: registration.source,
            handle: registration.handle,
            scrub: registration.scrub,
            timeouts: registration.timeouts,
            presence: Presence::default(),
            last_said: LastSaid::unknown(),
        }
    }

    /// What a call came to, fit to be passed on; noted as a sign of life or of the lack of it.
    pub(crate) fn settle<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        telemetry::called(&result);
        self.presence.note(&result);
        result.map_err(|failure| self.scrub.failure(failure))
    }

    /// The most that can be in flight of one of its runs: what it may say in one frame.
    pub(crate) fn in_flight_bytes(&self) -> usize {
        let limits = self.presence.limits().unwrap_or_default();
        Caps::for_limits(&limits).frame_bytes
    }

    /// What is known of it, without asking.
    pub(crate) fn describe(&self, settings: &PresenceSettings) -> (RuntimeEntry, Sight) {
        let sight = self.presence.sight(settings);
        let info = sight.info.as_ref();
        let own_name = info.and_then(|info| info.display_name.clone());
        let entry = RuntimeEntry {
            runtime_id: self.runtime_id.clone(),
            display_name: self
                .display_name
                .clone()
                .or(own_name)
                .unwrap_or_else(|| self.runtime_id.to_string()),
            source: self.source,
            status: sight.status,
            last_seen_at: sight.last_seen_at,
            age_ms: sight.age_ms,
            last_error: sight.last_error.clone(),
            circuit: self.handle.circuit(),
            capabilities: info
                .map(|info| info.capabilities.clone())
                .unwrap_or_default(),
            api_version: info.map(|info| info.api_version.clone()),
            boot_id: info.map(|info| info.boot_id.clone()),
            workers: info.map(|info| info.workers),
        };
        (entry, sight)
    }
}

/// All Runtimes of a Backend, by rising id.
#[derive(Default)]
pub(crate) struct Registry {
    entries: BTreeMap<RuntimeId, Arc<Entry>>,
}

impl Registry {
    /// Adds a Runtime, which may end with the Backend; `false` when its id is taken.
    pub(crate) fn add(&mut self, registration: Registration, ends_with_us: bool) -> bool {
        let entry = Arc::new(Entry::new(registration, ends_with_us));
        match self.entries.entry(entry.runtime_id.clone()) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(entry);
                true
            }
            std::collections::btree_map::Entry::Occupied(_) => false,
        }
    }

    pub(crate) fn get(&self, runtime_id: &RuntimeId) -> Option<&Arc<Entry>> {
        self.entries.get(runtime_id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }
}
