//! Where one Runtime is checked: what is known of it, and the names of the checks' own Workers.

mod tidying;
mod usable;
mod workers;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use yoi_protocol::{
    Capability, Failure, IdempotencyKey, Operation, RuntimeInfo, Timestamp, WorkerId,
};

use crate::course::Course;
use crate::minded::Minded;
use crate::scrub::Scrub;
use crate::subject::Subject;
use crate::unmet::{Unmet, skipped};

/// What the ids of all Workers begin with that a check names.
pub const PREFIX: &str = "conformance-";

/// How long is waited for what must come at once, unless a bench is told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one check may take in all, at least.
const LONGEST: Duration = Duration::from_secs(120);

/// One Runtime on the bench: how it is asked, what its Workers run, and which it was given.
///
/// ```
/// # use std::sync::Arc;
/// # use yoi_client::Client;
/// # use yoi_conformance::{Bench, OverHttp, semantics};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("http://127.0.0.1:7401")?.build()?;
/// let bench = Bench::new(Arc::new(OverHttp::new(client)))
///     .await?
///     .profile("echo");
/// let checked = semantics::run(&bench).await;
/// # drop(checked);
/// # Ok(())
/// # }
/// ```
pub struct Bench {
    subject: Minded,
    info: RuntimeInfo,
    profile: Option<String>,
    long_profile: Option<String>,
    /// Whether the runs of the long profile last, once that was seen.
    lasts: OnceLock<bool>,
    patience: Duration,
    /// What the names and keys of this bench begin with, and no other's.
    stem: String,
    names: AtomicU64,
    /// Workers that could not be stopped.
    left: Mutex<Vec<WorkerId>>,
    course: Course,
    scrub: Scrub,
    /// The limits that the Runtime publishes, by name; `None` where that cannot be told.
    published: Option<BTreeSet<String>>,
}

impl Bench {
    /// A bench for a Runtime, which is asked what it is.
    ///
    /// # Errors
    /// What it answered instead.
    pub async fn new(subject: Arc<dyn Subject>) -> Result<Self, Failure> {
        static BENCHES: AtomicU64 = AtomicU64::new(0);
        let info = subject.runtime().await?;
        let stem = format!(
            "{PREFIX}{:x}-{:x}-{:x}-",
            Timestamp::now().as_unix_ms(),
            std::process::id(),
            BENCHES.fetch_add(1, Ordering::Relaxed)
        );
        Ok(Self {
            subject: Minded::new(subject, &info),
            info,
            profile: None,
            long_profile: None,
            lasts: OnceLock::new(),
            patience: PATIENCE,
            stem,
            names: AtomicU64::new(0),
            left: Mutex::default(),
            course: Course::default(),
            scrub: Scrub::default(),
            published: None,
        })
    }

    /// What Workers run whose runs should end by themselves, soon, on any input. The Runtime's
    /// default unless set.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// What Workers run whose runs should not end by themselves before somebody ends them. Best
    /// is one that says something first. Without it, what needs an active run is skipped.
    #[must_use]
    pub fn long_profile(mut self, name: impl Into<String>) -> Self {
        self.long_profile = Some(name.into());
        self
    }

    /// How long is waited for what must come. 30 seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What the Runtime said of itself when the bench was made.
    #[must_use]
    pub fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    /// By when all checks together must be done; those that come later are skipped. Nothing
    /// unless set.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.course.until = Some(until);
        self
    }

    pub(crate) fn scrubbed(mut self, scrub: Scrub) -> Self {
        self.scrub = scrub;
        self
    }

    pub(crate) fn publishes(&mut self, limits: BTreeSet<String>) {
        self.published = Some(limits);
    }

    pub(crate) fn course(&self) -> &Course {
        &self.course
    }

    pub(crate) fn scrub(&self) -> &Scrub {
        &self.scrub
    }

    /// An operation that was wanted since the last time, and that the Runtime does not list.
    pub(crate) fn lacked(&self) -> Option<Operation> {
        self.subject.lacked()
    }

    pub(crate) fn lists(&self, operation: Operation) -> bool {
        self.subject.lists(operation)
    }

    /// How long one check may take, and whether that is only what is left for all of them.
    pub(crate) fn longest(&self) -> (Duration, bool) {
        let longest = LONGEST.max(self.patience.saturating_mul(4));
        match self.course.until {
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                (longest.min(left), left < longest)
            }
            None => (longest, false),
        }
    }

    /// Skips a check that holds the Runtime to a limit which it does not publish.
    pub(crate) fn needs_limit(&self, name: &str) -> Result<(), Unmet> {
        match &self.published {
            Some(published) if !published.contains(name) => {
                Err(skipped(format!("the runtime does not publish {name}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn subject(&self) -> &dyn Subject {
        &self.subject
    }

    pub(crate) fn wait(&self) -> Duration {
        self.patience
    }

    pub(crate) fn long(&self) -> Result<&str, Unmet> {
        self.long_profile.as_deref().ok_or_else(|| {
            skipped("needs a profile whose runs last until they are ended: name a long profile")
        })
    }

    pub(crate) fn can(&self, capability: &Capability) -> bool {
        self.info.capabilities.contains(capability)
    }

    pub(crate) fn needs_keys(&self) -> Result<(), Unmet> {
        if self.can(&Capability::IDEMPOTENCY) {
            Ok(())
        } else {
            Err(skipped("the runtime does not list idempotency"))
        }
    }

    pub(crate) fn needs_events(&self) -> Result<(), Unmet> {
        if self.can(&Capability::EVENTS_WS) || self.can(&Capability::EVENTS_SSE) {
            Ok(())
        } else {
            Err(skipped(
                "the runtime lists neither events.ws nor events.sse",
            ))
        }
    }

    /// An id that nobody has, for a Worker that will be stopped.
    pub(crate) fn name(&self) -> WorkerId {
        let id = WorkerId::parse(&self.fresh()).expect("a stem and a number are an id");
        self.own(&id);
        id
    }

    /// Remembers a Worker that is to be stopped.
    pub(crate) fn own(&self, worker_id: &WorkerId) {
        self.subject.own(worker_id);
    }

    /// A key that nobody used.
    pub(crate) fn key(&self) -> IdempotencyKey {
        IdempotencyKey::parse(&self.fresh()).expect("a stem and a number are a key")
    }

    fn fresh(&self) -> String {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}", self.stem)
    }
}

impl AsRef<Self> for Bench {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("runtime_id", &self.info.runtime_id)
            .field("profile", &self.profile)
            .field("long_profile", &self.long_profile)
            .finish_non_exhaustive()
    }
}
