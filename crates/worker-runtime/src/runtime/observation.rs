//! Observation: what happens to a Worker, as it happens.

use yoi_protocol::{StreamEnd, WorkerId};

use super::{ObservedFrame, Runtime};
use crate::error::RuntimeError;

impl Runtime {
    /// Observes a Worker: from a snapshot, or everything after `cursor`.
    ///
    /// # Errors
    /// `CursorInvalid`, `CursorUnknown`, `CursorExpired`, `WorkerNotFound`, `LimitReached`
    /// (`max_streams`), `StoreFailed`.
    pub async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&str>,
    ) -> Result<Observation, RuntimeError> {
        let _ = (worker_id, cursor);
        Err(RuntimeError::Unavailable)
    }
}

/// One reader of a Worker's events. Slow reading costs bounded memory and holds nobody up.
pub struct Observation {}

impl Observation {
    /// The next frame, waiting for it. Cancel-safe: a frame is either returned or still to come.
    ///
    /// # Errors
    /// [`StreamEnd`]: why no more frames come. The same again when called again.
    pub async fn next(&mut self) -> Result<ObservedFrame, StreamEnd> {
        Err(StreamEnd::Draining)
    }

    /// The next frame if it is there already, for writing many at once.
    pub fn try_next(&mut self) -> Option<Result<ObservedFrame, StreamEnd>> {
        None
    }

    /// Whether nothing is left to tell because the Worker is stopped and the cursor was its last:
    /// the observation consists of a `caught_up` alone. A server-sent event stream answers 204.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        false
    }
}
