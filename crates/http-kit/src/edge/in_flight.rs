//! How many requests are being answered.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use yoi_protocol::Failure;

use crate::Rejection;

/// Bounds the requests between their admission and the head of their answer. Streams and sockets
/// have limits of their own.
#[derive(Debug)]
pub(super) struct InFlight {
    slots: Arc<Semaphore>,
}

impl InFlight {
    pub(super) fn new(most: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// A slot, until it is dropped.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Rejection> {
        Arc::clone(&self.slots)
            .try_acquire_owned()
            .map_err(|_| Rejection::new(Failure::limit("max_requests").with_retry_after_ms(1_000)))
    }
}
