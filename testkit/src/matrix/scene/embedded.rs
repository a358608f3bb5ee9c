//! A Runtime inside the Backend's process.

use yoi_client::Workers;
use yoi_protocol::Operation;

use super::people;
use crate::matrix::Pace;
use crate::matrix::stage::RUNTIME;
use crate::{RuntimeFaults, RuntimeSite, TestBackend, TestBackendBuilder};

/// A Runtime inside the Backend's process, with what a test can do to its insides.
pub(in crate::matrix) struct Embedded {
    /// Through the Backend: there is no other way to it.
    workers: Option<Workers>,
    insides: RuntimeFaults,
}

impl Embedded {
    pub(super) fn set(builder: TestBackendBuilder, pace: &Pace) -> (Self, TestBackendBuilder) {
        let insides = RuntimeFaults::new().operation_timeout(pace.operation);
        let builder = builder.embedded_with(RUNTIME, |runtime| insides.install(runtime));
        let scene = Self {
            workers: None,
            insides,
        };
        (scene, builder)
    }

    pub(super) fn insides(&self) -> &RuntimeFaults {
        &self.insides
    }

    /// The Runtime inside `backend`.
    pub(super) fn site(&self, backend: &TestBackend) -> RuntimeSite {
        backend.inside(RUNTIME)
    }

    pub(super) fn workers(&self) -> &Workers {
        self.workers.as_ref().expect("prepared before it is asked")
    }

    pub(super) async fn prepare(
        &mut self,
        backend: &TestBackend,
        operations: &[Operation],
    ) -> Result<(), String> {
        let workers = backend.workers(RUNTIME);
        people(&workers, operations).await?;
        self.workers = Some(workers);
        Ok(())
    }
}
