//! Those who take every place that there is.

use yoi_client::{Call, FrameStream, Workers};
use yoi_protocol::{
    CancelRequest, Code, CreateWorker, Failure, IdempotencyKey, InputRequest, Limits, StopRequest,
    StreamEnd, WorkerId,
};

use super::RuntimeFaults;
use crate::fault::Fill;

/// Those who take the places, until they leave.
#[derive(Default)]
pub(super) struct Crowd {
    fill: Option<Fill>,
    workers: Vec<WorkerId>,
    streams: Vec<FrameStream>,
}

/// The limit that is met, and how many places it has.
fn bound(fill: Fill, limits: &Limits) -> (&'static str, u64) {
    match fill {
        Fill::Workers => ("max_workers", limits.max_workers),
        Fill::Runs => ("max_runs", limits.max_runs),
        Fill::Streams => ("max_streams", limits.max_streams),
        Fill::Keys => ("max_idempotency_keys", limits.max_idempotency_keys),
    }
}

impl Crowd {
    /// Takes place after place until there is none.
    pub(super) async fn gather(fill: Fill, limits: &Limits, workers: &Workers) -> Self {
        let (limit, places) = bound(fill, limits);
        let mut crowd = Self {
            fill: Some(fill),
            ..Self::default()
        };
        for place in 0..=places {
            let Err(failure) = crowd.take(fill, place, workers).await else {
                continue;
            };
            // The end of a stream has only a code.
            let named = failure.details.limit.as_deref().unwrap_or(limit);
            let met = failure.code == Code::LimitReached && named == limit;
            assert!(met, "place {place} of {limit} cannot be taken: {failure:?}");
            return crowd;
        }
        panic!("{limit} of {places} was never met: are these the Workers of the right runtime?");
    }

    async fn take(&mut self, fill: Fill, place: u64, workers: &Workers) -> Result<(), Failure> {
        let call = Call::default();
        match fill {
            Fill::Workers => self.create(workers, None).await.map(drop),
            Fill::Runs => {
                let worker = self.create(workers, Some(RuntimeFaults::ENDLESS)).await?;
                workers
                    .input(&worker, &InputRequest::new("stay"), &call)
                    .await?;
                Ok(())
            }
            Fill::Streams => {
                // Of one Worker each: a Backend has one stream for all who watch the same.
                let worker = self.create(workers, None).await?;
                let mut stream = workers.events(&worker, None, &call).await?;
                match stream.next().await {
                    Ok(_snapshot) => self.streams.push(stream),
                    Err(StreamEnd::Failed(failure)) => return Err(failure),
                    Err(end) => panic!("a new worker's stream ends: {end:?}"),
                }
                Ok(())
            }
            Fill::Keys => {
                let worker = match self.workers.first() {
                    Some(worker) => worker.clone(),
                    None => self.create(workers, None).await?,
                };
                let key = IdempotencyKey::parse(&format!("place-{place}")).expect("a key");
                let call = Call::keyed(key);
                workers
                    .cancel(&worker, &CancelRequest::default(), &call)
                    .await?;
                Ok(())
            }
        }
    }

    async fn create(
        &mut self,
        workers: &Workers,
        profile: Option<&str>,
    ) -> Result<WorkerId, Failure> {
        let body = CreateWorker {
            profile: profile.map(str::to_owned),
            ..CreateWorker::default()
        };
        let worker = workers
            .create(&body, &Call::default())
            .await?
            .value
            .worker_id;
        self.workers.push(worker.clone());
        Ok(worker)
    }

    /// Whether what is taken are idempotency keys, which nobody can give back.
    pub(super) fn holds_keys(&self) -> bool {
        self.fill == Some(Fill::Keys)
    }

    /// Gives the places back, and returns when they are free.
    pub(super) async fn leave(&mut self, workers: &Workers) {
        self.streams.clear();
        for worker in self.workers.drain(..) {
            let stopped = workers
                .stop(&worker, &StopRequest::default(), &Call::default())
                .await;
            if let Err(error) = stopped {
                panic!("worker {worker} does not give its place back: {error}");
            }
        }
    }
}
