//! Where one Runtime is checked: its Workers of the checks' own, and how they are cleared away.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout};
use yoi_protocol::{
    CancelRequest, Capability, Code, CreateWorker, Cursor, Failure, IdempotencyKey, InputAccepted,
    InputRequest, Operation, RuntimeInfo, StopRequest, Timestamp, Worker, WorkerId, WorkerStatus,
};

use crate::course::Course;
use crate::minded::Minded;
use crate::scrub::Scrub;
use crate::subject::{Done, Subject};
use crate::unmet::{Unmet, broken, skipped, unexpected};
use crate::watch::{Snapshot, Watch};

/// What the ids of all Workers begin with that a check names.
pub const PREFIX: &str = "conformance-";

/// How long is waited for what must come at once, unless a bench is told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two looks at a Worker.
const BETWEEN: Duration = Duration::from_millis(10);
/// How long one check may take in all, at least.
const LONGEST: Duration = Duration::from_secs(120);
/// How long stopping the Workers of one check may take, at most.
const TIDYING: Duration = Duration::from_secs(5);
/// How many Workers are stopped at a time.
const AT_ONCE: usize = 16;

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

    /// Stops every Worker that was made here, several at a time and not for long. What cannot be
    /// stopped is [`left_behind`](Self::left_behind).
    pub async fn tidy(&self) {
        let made: BTreeSet<WorkerId> = self.subject.take().into_iter().collect();
        let left = self.stop_all(made).await;
        self.left().extend(left);
    }

    /// Tries again to stop what could not be stopped, and gives what still runs, or may. Empty
    /// for a Runtime that stops what it is told to.
    pub async fn left_behind(&self) -> Vec<WorkerId> {
        self.tidy().await;
        let left: BTreeSet<WorkerId> = self.left().drain(..).collect();
        self.stop_all(left).await
    }

    /// Stops these together; gives those of which it is not known that they are stopped or gone.
    async fn stop_all(&self, workers: BTreeSet<WorkerId>) -> Vec<WorkerId> {
        let left = Mutex::new(workers.clone());
        let body = StopRequest::default();
        let stops = stream::iter(workers).for_each_concurrent(AT_ONCE, async |worker_id| {
            let is_gone = match self.subject.stop(&worker_id, &body, None).await {
                Ok(_) => true,
                // What is not there needs no stop.
                Err(failure) => failure.code == Code::WorkerNotFound,
            };
            if is_gone {
                left.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&worker_id);
            }
        });
        // Who is not done by then is told below.
        let _ = timeout(self.patience.min(TIDYING), stops).await;
        let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.into_iter().collect()
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Vec<WorkerId>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The body of a create, with a fresh id.
    pub(crate) fn body(&self) -> CreateWorker {
        CreateWorker {
            worker_id: Some(self.name()),
            profile: self.profile.clone(),
            ..CreateWorker::default()
        }
    }

    pub(crate) async fn create(&self, body: &CreateWorker) -> Result<Worker, Unmet> {
        let created = self.subject.create(body, None).await;
        let worker = created.map_err(|failure| unexpected("a create", &failure))?;
        Ok(worker.value)
    }

    /// An idle Worker whose runs are short.
    pub(crate) async fn idle(&self) -> Result<WorkerId, Unmet> {
        Ok(self.create(&self.body()).await?.worker_id)
    }

    /// An idle Worker whose runs are long.
    pub(crate) async fn long_idle(&self) -> Result<WorkerId, Unmet> {
        let body = CreateWorker {
            profile: Some(self.long()?.to_owned()),
            ..self.body()
        };
        Ok(self.create(&body).await?.worker_id)
    }

    /// A Worker with an active run.
    pub(crate) async fn busy(&self) -> Result<(WorkerId, InputAccepted), Unmet> {
        let worker_id = self.long_idle().await?;
        let accepted = self.input(&worker_id).await?;
        Ok((worker_id, accepted))
    }

    pub(crate) async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Unmet> {
        let got = self.subject.get(worker_id).await;
        got.map_err(|failure| unexpected("reading a worker", &failure))
    }

    pub(crate) async fn input(&self, worker_id: &WorkerId) -> Result<InputAccepted, Unmet> {
        let body = InputRequest::new("a conformance check says hello");
        let accepted = self.subject.input(worker_id, &body, None).await;
        let accepted = accepted.map_err(|failure| unexpected("an input", &failure))?;
        Ok(accepted.value)
    }

    /// An input whose run is over.
    pub(crate) async fn run(&self, worker_id: &WorkerId) -> Result<InputAccepted, Unmet> {
        let accepted = self.input(worker_id).await?;
        self.until_idle(worker_id).await?;
        Ok(accepted)
    }

    /// Waits until no run is active.
    pub(crate) async fn until_idle(&self, worker_id: &WorkerId) -> Result<Worker, Unmet> {
        let deadline = Instant::now() + self.patience;
        loop {
            let worker = self.get(worker_id).await?;
            if worker.status == WorkerStatus::Idle {
                return Ok(worker);
            }
            if Instant::now() >= deadline {
                return Err(broken(format!(
                    "a run of profile {} did not end within {:?}; is it one that ends by itself?",
                    worker.profile, self.patience
                )));
            }
            sleep(BETWEEN).await;
        }
    }

    pub(crate) async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
    ) -> Result<yoi_protocol::Cancelled, Unmet> {
        let cancelled = self.subject.cancel(worker_id, body, None).await;
        let cancelled = cancelled.map_err(|failure| unexpected("a cancel", &failure))?;
        Ok(cancelled.value)
    }

    pub(crate) async fn stop(&self, worker_id: &WorkerId) -> Result<Worker, Unmet> {
        let body = StopRequest::default();
        let stopped = self.subject.stop(worker_id, &body, None).await;
        let stopped: Done<_> = stopped.map_err(|failure| unexpected("a stop", &failure))?;
        Ok(stopped.value.worker)
    }

    /// Observes from a snapshot on, and gives that.
    pub(crate) async fn watch(&self, worker_id: &WorkerId) -> Result<(Watch, Snapshot), Unmet> {
        let mut watch = self.open(worker_id, None).await?;
        let snapshot = watch.snapshot().await?;
        Ok((watch, snapshot))
    }

    /// Observes what followed a cursor.
    pub(crate) async fn resume(
        &self,
        worker_id: &WorkerId,
        cursor: &Cursor,
    ) -> Result<Watch, Unmet> {
        self.open(worker_id, Some(cursor)).await
    }

    async fn open(&self, worker_id: &WorkerId, cursor: Option<&Cursor>) -> Result<Watch, Unmet> {
        self.needs_events()?;
        let frames = self.subject.events(worker_id, cursor).await;
        let frames = frames.map_err(|failure| unexpected("observing a worker", &failure))?;
        Ok(Watch::new(frames, worker_id.clone(), self.patience))
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
