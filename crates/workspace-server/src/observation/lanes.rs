//! How many readers are being caught up, at each Runtime for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use yoi_protocol::{Code, Failure, RuntimeId};

/// A place among the short upstreams of one Runtime, taken until it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// The places of every Runtime. There are as many entries as Runtimes that were ever watched, and
/// those are in the registry.
#[derive(Debug)]
pub(super) struct Lanes {
    places: usize,
    by_runtime: Mutex<HashMap<RuntimeId, Arc<Semaphore>>>,
}

impl Lanes {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            by_runtime: Mutex::default(),
        }
    }

    /// Waits for a place at a Runtime.
    ///
    /// # Errors
    /// `limit_reached` when none is free for so long.
    pub(super) async fn place(
        &self,
        runtime_id: &RuntimeId,
        patience: Duration,
    ) -> Result<Place, Failure> {
        match timeout(patience, self.lane(runtime_id).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(Failure::new(Code::Unavailable)),
            Err(_elapsed) => Err(Failure::limit("max_catch_ups")),
        }
    }

    fn lane(&self, runtime_id: &RuntimeId) -> Arc<Semaphore> {
        let mut lanes = self
            .by_runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let lane = lanes
            .entry(runtime_id.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.places)));
        Arc::clone(lane)
    }
}
