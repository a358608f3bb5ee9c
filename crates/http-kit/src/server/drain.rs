//! The end of a server, step by step.

use std::sync::{Arc, OnceLock};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Leads a server to its end. Clones lead the same server.
///
/// Whoever shuts down calls [`begin`](Self::begin) (readiness false), ends its own work, whose
/// observations then end themselves, and calls [`close`](Self::close), which ends whatever does
/// not. Dropping one does nothing.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    steps: Arc<Steps>,
}

#[derive(Debug, Default)]
struct Steps {
    begun: CancellationToken,
    streams: CancellationToken,
    closed: CancellationToken,
    cut: CancellationToken,
    deadline: OnceLock<Instant>,
    sockets: TaskTracker,
}

impl Drain {
    /// The drain of a server that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on the server says that it is not ready. It goes on serving.
    pub fn begin(&self) {
        self.steps.begun.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.steps.begun.is_cancelled()
    }

    /// Ends every observation with `draining` after what its source has ready, those that start
    /// later too. For those that do not end themselves: what their sources are still to say is
    /// lost to them until they come back.
    pub fn end_streams(&self) {
        self.begin();
        self.steps.streams.cancel();
    }

    /// Whether [`end_streams`](Self::end_streams) was called.
    pub(crate) fn has_ended_streams(&self) -> bool {
        self.steps.streams.is_cancelled()
    }

    /// Waits for [`end_streams`](Self::end_streams).
    pub(crate) async fn streams_ended(&self) {
        self.steps.streams.cancelled().await;
    }

    /// Takes no more connections, ends idle ones, calls [`end_streams`](Self::end_streams) for
    /// observations that have not ended themselves when at least half of the time is over, and
    /// cuts at `deadline` whatever is left.
    pub fn close(&self, deadline: Instant) {
        self.begin();
        let _ = self.steps.deadline.set(deadline);
        self.steps.closed.cancel();
    }

    /// Waits for [`close`](Self::close).
    pub(crate) async fn closed(&self) -> Instant {
        self.steps.closed.cancelled().await;
        self.steps
            .deadline
            .get()
            .copied()
            .unwrap_or_else(Instant::now)
    }

    /// Cuts every socket.
    pub(crate) fn cut(&self) {
        self.steps.cut.cancel();
    }

    pub(crate) fn cut_token(&self) -> CancellationToken {
        self.steps.cut.clone()
    }

    /// The open sockets of the server.
    pub(crate) fn sockets(&self) -> &TaskTracker {
        &self.steps.sockets
    }
}
