//! What most checks do with Workers.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use yoi_protocol::{
    CancelRequest, CreateWorker, Cursor, InputAccepted, InputRequest, StopRequest, Worker,
    WorkerId, WorkerStatus,
};

use super::Bench;
use crate::subject::{Done, Subject as _};
use crate::unmet::{Unmet, broken, skipped, unexpected};
use crate::watch::{Snapshot, Watch};

/// How long between two looks at a Worker.
const BETWEEN: Duration = Duration::from_millis(10);
/// How long a run lasts at least that does not end by itself.
const LASTS: Duration = Duration::from_millis(500);

impl Bench {
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

    /// Looks once whether a run of the long profile ends by itself at once. Only who says so in
    /// full is believed: the checks find the others out.
    async fn needs_to_last(&self) -> Result<(), Unmet> {
        if self.lasts.get().is_none() {
            if let Ok(lasts) = self.see_it_last().await {
                // Who saw it first is right.
                let _ = self.lasts.set(lasts);
            }
            self.lacked();
        }
        match self.lasts.get() {
            Some(false) => Err(skipped("the long profile ended by itself")),
            Some(true) | None => Ok(()),
        }
    }

    async fn see_it_last(&self) -> Result<bool, Unmet> {
        let worker_id = self.long_worker().await?;
        self.input(&worker_id).await?;
        let until = Instant::now() + LASTS;
        while Instant::now() < until {
            let worker = self.get(&worker_id).await?;
            if worker.status == WorkerStatus::Idle && worker.last_run.is_some() {
                return Ok(false);
            }
            sleep(BETWEEN).await;
        }
        self.stop(&worker_id).await?;
        Ok(true)
    }

    /// An idle Worker whose runs are long.
    pub(crate) async fn long_idle(&self) -> Result<WorkerId, Unmet> {
        self.needs_to_last().await?;
        self.long_worker().await
    }

    async fn long_worker(&self) -> Result<WorkerId, Unmet> {
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
