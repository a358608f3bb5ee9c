//! A Runtime behind a wire.

use yoi_client::Workers;
use yoi_protocol::Operation;

use super::{Committed, injection, people};
use crate::matrix::Pace;
use crate::matrix::judge::Case;
use crate::matrix::stage::RUNTIME;
use crate::{Canaries, FaultProxy, RuntimeFaults, TestRuntime};

/// A Runtime behind a wire, with all that a test can do to either.
pub(in crate::matrix) struct Remote {
    link: FaultProxy,
    workers: Workers,
    insides: RuntimeFaults,
    runtime: TestRuntime,
}

impl Remote {
    pub(super) async fn set(canaries: &mut Canaries, pace: &Pace) -> Self {
        let insides = RuntimeFaults::new().operation_timeout(pace.operation);
        let runtime = insides
            .runtime(RUNTIME)
            .token(canaries.plant("the credential"));
        let runtime = runtime.start().await;
        let link = FaultProxy::builder(&runtime)
            .settings(|settings| settings.timeouts = pace.timeouts)
            .slow(pace.slow)
            .start()
            .await;
        // The Runtime, the link, and wherever a fault leads instead.
        canaries.watch("an address", "127.0.0.1");
        canaries.watch("a name", ".invalid");
        Self {
            workers: runtime.workers(),
            link,
            insides,
            runtime,
        }
    }

    pub(super) fn link(&self) -> &FaultProxy {
        &self.link
    }

    /// The Runtime itself, past the link.
    pub(super) fn workers(&self) -> &Workers {
        &self.workers
    }

    pub(super) fn runtime(&self) -> &TestRuntime {
        &self.runtime
    }

    pub(super) fn insides(&self) -> &RuntimeFaults {
        &self.insides
    }

    pub(super) async fn prepare(&self, operations: &[Operation]) -> Result<(), String> {
        people(&self.workers, operations).await
    }

    pub(super) fn commit(&self, case: Case) -> Committed {
        Committed::OnTheLink(self.link.inject(injection(case)))
    }
}
