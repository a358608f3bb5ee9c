//! Looks after the Runtimes in the background, so that nobody has to ask them to say how they
//! are.

use std::sync::Arc;

use tokio::time::{Instant, sleep};

use super::Backend;
use crate::handle::CallContext;
use crate::presence::PresenceSettings;
use crate::registry::Entry;

impl Backend {
    /// One task a Runtime: it asks at once, then every so often.
    pub(super) fn start_probes(&self) {
        for entry in self.inner.registry.iter() {
            let entry = Arc::clone(entry);
            let (settings, closed) = (self.inner.presence, self.inner.closed.clone());
            self.inner.probes.spawn(async move {
                let probing = async {
                    loop {
                        probe(&entry, &settings).await;
                        sleep(settings.pause(fastrand::f64())).await;
                    }
                };
                tokio::select! {
                    biased;
                    () = closed.cancelled() => {}
                    () = probing => {}
                }
            });
        }
        self.inner.probes.close();
    }

    /// Asks every Runtime now, all at the same time, and returns when each has answered or
    /// failed to.
    pub async fn probe(&self) {
        let settings = &self.inner.presence;
        let probes = self
            .inner
            .registry
            .iter()
            .map(|entry| probe(entry, settings));
        futures_util::future::join_all(probes).await;
    }
}

async fn probe(entry: &Entry, settings: &PresenceSettings) {
    let call = CallContext {
        deadline: Some(Instant::now() + entry.timeouts.list),
        ..CallContext::default()
    };
    match entry.handle.runtime(&call).await {
        Ok(info) => entry.presence.told(entry.scrub.info(info)),
        Err(failure) => {
            tracing::debug!(runtime_id = %entry.runtime_id, code = %failure.code, "a probe failed");
            entry.presence.failed(&failure);
        }
    }
    let look = || entry.presence.sight(settings);
    entry.last_said.say(&entry.runtime_id, look);
}
