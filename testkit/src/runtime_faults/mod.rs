//! The inside of a Runtime, where a test can reach it.

mod clock;
mod crowd;
mod endless;
mod injected;
mod site;
mod store;
mod ward;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use worker_runtime::{ProfileSpec, RuntimeBuilder, Store};
use yoi_protocol::Limits;

use crate::fault::{Deed, Malady};
use crate::{Fault, TestRuntime, TestRuntimeBuilder, TestStore};
use clock::SkewedClock;
use crowd::Crowd;
use endless::Endless;
pub use injected::InjectedRuntimeFault;
pub use site::RuntimeSite;
use store::IllStore;
use ward::Ward;

/// What a Runtime has inside when a test wants it to go wrong there: a store that fails when told,
/// a clock that can be set, limits that can be met. It commits the faults of
/// [`Family::Runtime`](crate::Family::Runtime) in an embedded Runtime as in a remote one.
///
/// Its Runtime stops waiting for its own store after 250 ms, and has 64 places for Workers, 16 for
/// runs and for observers, and 256 for idempotency keys.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::{Api, Code, CreateWorker, RuntimeId};
/// use yoi_testkit::{Fault, RuntimeFaults, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let insides = RuntimeFaults::new();
/// let backend = TestBackend::builder()
///     .embedded_with("local", |runtime| insides.install(runtime))
///     .start()
///     .await;
/// let workers = backend.workers("local");
///
/// let harm = insides.inject(Fault::StoreRefuses, &workers).await;
/// let error = workers.create(&CreateWorker::default(), &Call::default()).await.unwrap_err();
/// assert_eq!(error.failure.code, Code::StoreFailed);
/// harm.undo().await;
///
/// workers.create(&CreateWorker::default(), &Call::default()).await.unwrap();
/// # }
/// ```
pub struct RuntimeFaults {
    store: Arc<TestStore>,
    ward: Arc<Ward>,
    clock: Arc<SkewedClock>,
    limits: Limits,
}

impl RuntimeFaults {
    /// The profile whose runs say nothing and end only when they are cancelled.
    pub const ENDLESS: &'static str = "endless";

    /// Of a Runtime in which all is well, so far.
    #[must_use]
    pub fn new() -> Self {
        let ward = Arc::<Ward>::default();
        Self {
            store: TestStore::new(),
            clock: Arc::new(SkewedClock::new(Arc::clone(&ward))),
            ward,
            limits: Limits {
                operation_timeout_ms: 250,
                max_workers: 64,
                max_runs: 16,
                max_streams: 16,
                max_idempotency_keys: 256,
                ..Limits::default()
            },
        }
    }

    /// How long the Runtime waits for its store, in place of 250 ms. Short times show what hangs;
    /// where nothing does, a long one lets a busy machine be slow.
    #[must_use]
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.limits.operation_timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// A Runtime called `id` with these insides, and with a server.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn runtime(&self, id: &str) -> TestRuntimeBuilder {
        TestRuntime::builder(id)
            .store(self.ill_store())
            .limits(self.limits.clone())
            .runtime(|runtime| self.furnish(runtime))
    }

    /// A Runtime with these insides, for a host that starts it.
    pub fn install(&self, runtime: RuntimeBuilder) -> RuntimeBuilder {
        self.furnish(runtime)
            .store(self.ill_store())
            .limits(self.limits.clone())
    }

    fn ill_store(&self) -> Arc<dyn Store> {
        Arc::new(IllStore {
            store: Arc::clone(&self.store),
            ward: Arc::clone(&self.ward),
        })
    }

    fn furnish(&self, runtime: RuntimeBuilder) -> RuntimeBuilder {
        let clock = Arc::clone(&self.clock);
        runtime
            .clock(clock)
            .profile(Self::ENDLESS, ProfileSpec::new(Endless))
    }

    /// The store, which knows nothing of the faults that are injected here: what it is told to do
    /// itself comes on top.
    #[must_use]
    pub fn store(&self) -> &Arc<TestStore> {
        &self.store
    }

    /// What is bounded, and to what.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets a fault begin, and keeps it until the guard is dropped. Of several about the same (the
    /// writes, the reads, the clock) the first that was injected is met, until it ends. A limit is met by filling what
    /// it bounds, through the Workers of the Runtime itself or of a Backend before it.
    ///
    /// # Panics
    /// For a fault of a link, when a limit cannot be met, or when a Runtime is to shut down and the
    /// [`RuntimeSite`] has none.
    pub async fn inject(
        &self,
        fault: Fault,
        site: impl Into<RuntimeSite>,
    ) -> InjectedRuntimeFault<'_> {
        let Deed::Inside(malady) = fault.deed() else {
            panic!("{fault} happens on a link, not inside a Runtime: see FaultProxy");
        };
        let RuntimeSite { workers, runtime } = site.into();
        let mut crowd = Crowd::default();
        let certain = match &malady {
            Malady::Full(fill) => {
                crowd = Crowd::gather(*fill, &self.limits, &workers).await;
                true
            }
            Malady::Drains => {
                let runtime = runtime.unwrap_or_else(|| {
                    panic!("{fault} needs the Runtime itself: inject it at a TestRuntime, or at TestBackend::inside")
                });
                runtime.drain(DRAIN).await;
                true
            }
            Malady::Writes(_) | Malady::WritesHang | Malady::Reads(_) | Malady::Clock(_) => false,
        };
        InjectedRuntimeFault {
            insides: self,
            fault,
            crowd,
            certain,
            workers,
            case: self.ward.begin(malady),
        }
    }
}

/// How long a Runtime may take to shut down.
const DRAIN: Duration = Duration::from_secs(5);

impl Default for RuntimeFaults {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RuntimeFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeFaults")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
