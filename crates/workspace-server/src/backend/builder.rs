//! Puts a Backend together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::RuntimeId;

use super::{Backend, Inner};
use crate::audit::{AuditSink, LogAudit};
use crate::observation::{Hub, ObservationSettings};
use crate::policy::{Policy, RuntimeRules};
use crate::presence::PresenceSettings;
use crate::registry::{Registration, Registry};
use crate::seal::KeyRing;

/// Why a Backend cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two Runtimes have one id.
    #[error("two runtimes have the id {0}")]
    DuplicateRuntime(RuntimeId),
}

/// Puts a [`Backend`] together. Everything but the Runtimes has a default. Cloned, it puts together
/// more than one that is alike.
#[derive(Clone, Default)]
#[must_use = "nothing happens until build()"]
pub struct BackendBuilder {
    runtimes: Vec<Registration>,
    policy: Option<Arc<dyn Policy>>,
    audit: Option<Arc<dyn AuditSink>>,
    keys: Option<KeyRing>,
    presence: PresenceSettings,
    observation: ObservationSettings,
}

impl BackendBuilder {
    /// Adds a Runtime.
    pub fn runtime(mut self, registration: Registration) -> Self {
        self.runtimes.push(registration);
        self
    }

    /// Decides who may do what; [`RuntimeRules`] from what each Runtime allows unless set.
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Where records of commands go; [`LogAudit`] unless set.
    pub fn audit(mut self, audit: Arc<dyn AuditSink>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// The keys of cursors and pages; one random key unless set.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys);
        self
    }

    /// How Runtimes are looked after in the background.
    pub fn presence(mut self, presence: PresenceSettings) -> Self {
        self.presence = presence;
        self
    }

    /// What observation bounds.
    pub fn observation(mut self, observation: ObservationSettings) -> Self {
        self.observation = observation;
        self
    }

    /// The Backend. It begins to look after its Runtimes at once, so it needs a tokio runtime
    /// around it.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Backend, BuildError> {
        let mut registry = Registry::default();
        let mut rules = RuntimeRules::default();
        let mut embedded = Vec::new();
        for mut registration in self.runtimes {
            let runtime_id = registration.runtime_id.clone();
            rules.set(
                runtime_id.clone(),
                registration.visible,
                registration.allow.as_deref(),
            );
            let inside = registration.embedded.take();
            let added = registry.add(registration, inside.is_some());
            embedded.extend(inside);
            if !added {
                return Err(BuildError::DuplicateRuntime(runtime_id));
            }
        }
        let backend = Backend {
            inner: Arc::new(Inner {
                registry,
                policy: self.policy.unwrap_or_else(|| Arc::new(rules)),
                audit: self.audit.unwrap_or_else(|| Arc::new(LogAudit)),
                keys: self.keys.unwrap_or_else(KeyRing::random),
                presence: self.presence,
                hub: Hub::new(self.observation),
                embedded,
                commands: TaskTracker::new(),
                probes: TaskTracker::new(),
                draining: AtomicBool::new(false),
                closed: CancellationToken::new(),
            }),
        };
        backend.start_probes();
        Ok(backend)
    }
}

impl fmt::Debug for BackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendBuilder")
            .field("runtimes", &self.runtimes)
            .field("presence", &self.presence)
            .field("observation", &self.observation)
            .finish_non_exhaustive()
    }
}
