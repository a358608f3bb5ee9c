//! Where one Runtime is checked: its Workers of the checks' own, and how they are cleared away.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use yoi_protocol::{
    CancelRequest, Capability, CreateWorker, Cursor, Failure, IdempotencyKey, InputAccepted,
    InputRequest, RuntimeInfo, StopRequest, Timestamp, Worker, WorkerId, WorkerStatus,
};

use crate::subject::{Done, Subject};
use crate::unmet::{Unmet, broken, skipped, unexpected};
use crate::watch::{Snapshot, Watch};

/// What the ids of all Workers begin with that a check names.
pub const PREFIX: &str = "conformance-";

/// How long is waited for what must come at once, unless a bench is told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two looks at a Worker.
const BETWEEN: Duration = Duration::from_millis(10);

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
    subject: Arc<dyn Subject>,
    info: RuntimeInfo,
    profile: Option<String>,
    long_profile: Option<String>,
    patience: Duration,
    /// What the names and keys of this bench begin with, and no other's.
    stem: String,
    names: AtomicU64,
    made: Mutex<Vec<WorkerId>>,
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
            subject,
            info,
            profile: None,
            long_profile: None,
            patience: PATIENCE,
            stem,
            names: AtomicU64::new(0),
            made: Mutex::default(),
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

    /// Stops every Worker that was made here.
    pub async fn tidy(&self) {
        let made = std::mem::take(&mut *self.made());
        for worker_id in made {
            // What is not there needs no stop; what cannot be stopped was a check's to tell.
            let _ = self
                .subject
                .stop(&worker_id, &StopRequest::default(), None)
                .await;
        }
    }

    pub(crate) fn subject(&self) -> &dyn Subject {
        &*self.subject
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
        if self.can(&Capability::EVENTS_WS) {
            Ok(())
        } else {
            Err(skipped("the runtime does not list events.ws"))
        }
    }

    /// An id that nobody has, for a Worker that will be stopped.
    pub(crate) fn name(&self) -> WorkerId {
        let id = WorkerId::parse(&self.fresh()).expect("a stem and a number are an id");
        self.own(&id);
        id
    }

    /// Remembers a Worker that the Runtime named.
    pub(crate) fn own(&self, worker_id: &WorkerId) {
        self.made().push(worker_id.clone());
    }

    /// A key that nobody used.
    pub(crate) fn key(&self) -> IdempotencyKey {
        IdempotencyKey::parse(&self.fresh()).expect("a stem and a number are a key")
    }

    fn fresh(&self) -> String {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}", self.stem)
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Vec<WorkerId>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
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

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("runtime_id", &self.info.runtime_id)
            .field("profile", &self.profile)
            .field("long_profile", &self.long_profile)
            .finish_non_exhaustive()
    }
}
