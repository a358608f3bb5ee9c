//! Management: what the Runtime is, and its end.

use std::time::Duration;

use yoi_protocol::{
    BootId, Capability, Diagnostic, Limits, Operation, Profile, RuntimeId, RuntimeInfo,
    RuntimeState, Severity,
};

use super::{Readiness, Runtime};
use crate::store::Condition;

impl Runtime {
    /// Its name in every address.
    #[must_use]
    pub fn id(&self) -> &RuntimeId {
        &self.inner.id
    }

    /// This start of it.
    #[must_use]
    pub fn boot_id(&self) -> &BootId {
        &self.inner.boot_id
    }

    /// What it bounds, and to what.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What it says of itself.
    #[must_use]
    pub fn info(&self) -> RuntimeInfo {
        let inner = &self.inner;
        inner.forget_due();
        RuntimeInfo {
            runtime_id: inner.id.clone(),
            boot_id: inner.boot_id.clone(),
            display_name: inner.display_name.clone(),
            api_version: "v1".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            status: if inner.is_draining() {
                RuntimeState::Draining
            } else {
                RuntimeState::Running
            },
            store: inner.store.kind().to_owned(),
            capabilities: capabilities(),
            profiles: self.profiles(),
            workers: inner.counts.now(),
            limits: inner.limits.clone(),
            started_at: inner.started_at,
            diagnostics: self.diagnostics(),
        }
    }

    /// Whether it can serve.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        if self.inner.is_draining() {
            return Readiness::Draining;
        }
        match self.inner.store_condition() {
            Condition::Sound => Readiness::Ready,
            Condition::Damaged => Readiness::StoreDamaged,
            Condition::Failed => Readiness::StoreFailed,
        }
    }

    /// Shuts down within `timeout`: refuses new commands with `unavailable`, lets those in flight
    /// finish, ends active runs as a cancel would but records them `failed` with `interrupted`,
    /// and then ends every observation with `StreamEnd::Draining`. Reads go on throughout.
    ///
    /// Calling it again waits for the same end.
    pub async fn drain(&self, timeout: Duration) {
        self.inner.drain(timeout).await;
    }

    fn profiles(&self) -> Vec<Profile> {
        let profile = |(name, spec): (&String, &crate::ProfileSpec)| Profile {
            name: name.clone(),
            executor: spec.executor.name().to_owned(),
            description: spec.description.clone(),
        };
        self.inner.profiles.iter().map(profile).collect()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.inner.store.diagnostics();
        if let Some(ill) = of_condition(self.inner.store_condition())
            && all.iter().all(|said| said.code != ill.code)
        {
            all.push(ill);
        }
        for (name, spec) in &self.inner.profiles {
            if let Err(unavailable) = spec.executor.check() {
                all.push(Diagnostic {
                    severity: Severity::Warning,
                    code: "profile_unavailable".to_owned(),
                    message: format!("profile {name}: {unavailable}"),
                });
            }
        }
        all
    }
}

/// What is said of a store that cannot be relied on, where it does not say so itself.
fn of_condition(condition: Condition) -> Option<Diagnostic> {
    let (code, message) = match condition {
        Condition::Sound => return None,
        Condition::Damaged => (
            "store_damaged",
            "something that was kept cannot be read; what it touches fails, the rest goes on",
        ),
        Condition::Failed => (
            "store_failed",
            "the store takes no more records; start the runtime again",
        ),
    };
    Some(Diagnostic {
        severity: Severity::Error,
        code: code.to_owned(),
        message: message.to_owned(),
    })
}

/// What the library can do; a server around it adds the ways in which it can be observed.
fn capabilities() -> Vec<Capability> {
    let operations = Operation::ALL.iter().copied().map(Capability::from);
    operations.chain([Capability::IDEMPOTENCY]).collect()
}
