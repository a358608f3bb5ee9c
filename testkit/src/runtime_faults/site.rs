//! Where a fault inside a Runtime is committed.

use std::fmt;

use worker_runtime::Runtime;
use yoi_client::Workers;

use crate::TestRuntime;

/// Where a fault inside a Runtime is committed: at its Workers, and at the Runtime itself where
/// that can be reached.
///
/// A [`TestRuntime`] is one, the Workers behind any API are one, and
/// [`TestBackend::inside`](crate::TestBackend::inside) gives that of a Runtime inside a Backend.
///
/// ```
/// use yoi_testkit::{Fault, RuntimeFaults, TestBackend};
/// # use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let insides = RuntimeFaults::new();
/// let builder = TestBackend::builder().embedded_with("local", |runtime| insides.install(runtime));
/// let backend = builder.start().await;
/// let harm = insides.inject(Fault::RuntimeDrains, backend.inside("local")).await;
/// backend.browser().ask("POST", "/api/runtimes/local/workers").json(&json!({})).await.expect(503);
/// harm.undo().await;
/// # }
/// ```
pub struct RuntimeSite {
    pub(super) workers: Workers,
    pub(super) runtime: Option<Runtime>,
}

impl RuntimeSite {
    pub(crate) fn new(workers: Workers, runtime: Runtime) -> Self {
        Self {
            workers,
            runtime: Some(runtime),
        }
    }

    /// The Runtime itself, where it can be reached.
    pub(crate) fn runtime(&self) -> Option<&Runtime> {
        self.runtime.as_ref()
    }
}

impl From<&TestRuntime> for RuntimeSite {
    fn from(runtime: &TestRuntime) -> Self {
        Self {
            workers: runtime.workers(),
            runtime: runtime.runtime(),
        }
    }
}

impl From<&Workers> for RuntimeSite {
    fn from(workers: &Workers) -> Self {
        Self {
            workers: workers.clone(),
            runtime: None,
        }
    }
}

impl fmt::Debug for RuntimeSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeSite")
            .field("runtime", &self.runtime.is_some())
            .finish_non_exhaustive()
    }
}
