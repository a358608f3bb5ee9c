//! The inside of a Runtime, where a test can reach it.

mod clock;
mod crowd;
mod endless;
mod site;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use worker_runtime::{ProfileSpec, RuntimeBuilder, Store};
use yoi_client::Workers;
use yoi_protocol::Limits;

use crate::fault::{Deed, Malady};
use crate::{Fault, Reads, TestRuntime, TestRuntimeBuilder, TestStore};
use clock::SkewedClock;
use crowd::Crowd;
use endless::Endless;
pub use site::Site;

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
/// use yoi_testkit::{Fault, Insides, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let insides = Insides::new();
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
pub struct Insides {
    store: Arc<TestStore>,
    clock: Arc<SkewedClock>,
    limits: Limits,
}

impl Insides {
    /// The profile whose runs say nothing and end only when they are cancelled.
    pub const ENDLESS: &'static str = "endless";

    /// Insides that are well.
    #[must_use]
    pub fn new() -> Self {
        Self {
            store: TestStore::new(),
            clock: Arc::default(),
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

    /// A Runtime called `id` with these insides, and with a server.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn runtime(&self, id: &str) -> TestRuntimeBuilder {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        TestRuntime::builder(id)
            .store(store)
            .limits(self.limits.clone())
            .runtime(|runtime| self.furnish(runtime))
    }

    /// A Runtime with these insides, for a host that starts it.
    pub fn install(&self, runtime: RuntimeBuilder) -> RuntimeBuilder {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        self.furnish(runtime)
            .store(store)
            .limits(self.limits.clone())
    }

    fn furnish(&self, runtime: RuntimeBuilder) -> RuntimeBuilder {
        let clock = Arc::clone(&self.clock);
        runtime
            .clock(clock)
            .profile(Self::ENDLESS, ProfileSpec::new(Endless))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<TestStore> {
        &self.store
    }

    /// What is bounded, and to what.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets a fault begin, and keeps it until the guard is dropped. A limit is met by filling what
    /// it bounds, through the Workers of the Runtime itself or of a Backend before it.
    ///
    /// # Panics
    /// For a fault of a link, when a limit cannot be met, or when a Runtime is to shut down and the
    /// [`Site`] has none.
    pub async fn inject(&self, fault: Fault, site: impl Into<Site>) -> Harm<'_> {
        let Deed::Inside(malady) = fault.deed() else {
            panic!("{fault} happens on a link, not inside a Runtime: see FaultProxy");
        };
        let Site { workers, runtime } = site.into();
        let mut certain = false;
        let mut crowd = Crowd::default();
        match malady {
            Malady::Writes(error) => self.store.fail(error),
            Malady::WritesHang => self.store.hold(),
            Malady::Reads(reads) => self.store.read(reads),
            Malady::Full(fill) => {
                crowd = Crowd::gather(fill, &self.limits, &workers).await;
                certain = true;
            }
            Malady::Clock(ms) => self.clock.skew(ms),
            Malady::Drains => {
                let runtime = runtime.unwrap_or_else(|| {
                    panic!("{fault} needs the Runtime itself: inject it at a TestRuntime, or at TestBackend::inside")
                });
                runtime.drain(DRAIN).await;
                certain = true;
            }
        }
        Harm {
            insides: self,
            fault,
            crowd,
            certain,
            workers,
            before: self.store.told() + self.clock.skewed_reads(),
        }
    }
}

/// How long a Runtime may take to shut down.
const DRAIN: Duration = Duration::from_secs(5);
/// Longer than an idempotency key is remembered.
const TWO_DAYS_MS: i64 = 48 * 60 * 60 * 1000;

impl Default for Insides {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Insides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Insides")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// A fault inside a Runtime, until this is dropped.
///
/// A Runtime that has met [`Fault::StoreUncertain`] takes no more commands, though the store is
/// well again, and one that met [`Fault::RuntimeDrains`] is on its way out: each needs a restart.
///
/// # Panics
/// When it is dropped and the fault never happened, unless the test is panicking already.
#[must_use = "the fault ends when this is dropped"]
pub struct Harm<'a> {
    insides: &'a Insides,
    fault: Fault,
    crowd: Crowd,
    /// Whether it has certainly happened as it began.
    certain: bool,
    workers: Workers,
    /// What was counted before.
    before: usize,
}

impl Harm<'_> {
    /// How often it has happened: to so many writes, reads, or looks at the clock. That a limit is
    /// met, or a Runtime shut down, was seen as it began, and counts as once.
    #[must_use]
    pub fn fired(&self) -> usize {
        let counted = self.insides.store.told() + self.insides.clock.skewed_reads();
        counted - self.before + usize::from(self.certain)
    }

    /// Ends it, and makes room again where a limit was met. Returns when there is.
    ///
    /// # Panics
    /// When it never happened, or no room can be made.
    pub async fn undo(mut self) {
        self.heal();
        if self.crowd.holds_keys() {
            // Only time frees a key.
            self.insides.clock.age(TWO_DAYS_MS);
        }
        self.crowd.leave(&self.workers).await;
    }

    fn heal(&self) {
        let Insides { store, clock, .. } = self.insides;
        store.heal();
        store.release();
        store.read(Reads::Well);
        clock.skew(0);
    }
}

impl Drop for Harm<'_> {
    fn drop(&mut self) {
        self.heal();
        assert!(
            self.fired() > 0 || std::thread::panicking(),
            "{} never happened inside the runtime",
            self.fault
        );
    }
}

impl fmt::Debug for Harm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harm")
            .field("fault", &self.fault)
            .field("fired", &self.fired())
            .finish_non_exhaustive()
    }
}
