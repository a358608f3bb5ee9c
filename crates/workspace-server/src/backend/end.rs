//! The end of a Backend, in order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::Backend;

impl Backend {
    /// Ends within `timeout`: new commands are `unavailable` while reads go on; commands in
    /// flight finish; the Runtimes inside are drained; then every watch ends with `draining`, those
    /// of Runtimes inside after all that these have said.
    pub async fn drain(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        self.inner.draining.store(true, Ordering::Release);
        // Nobody is told that the Runtimes inside are not well: they end with this Backend.
        self.inner.closed.cancel();
        self.inner.hub.begin_end();
        self.inner.commands.close();
        let in_flight = self.inner.commands.wait();
        let runtimes = join_all(self.inner.embedded.iter().map(|r| r.drain(timeout)));
        // Side by side: a cancel in flight may wait for a run that only the drain ends.
        let _ = timeout_at(deadline, async { tokio::join!(in_flight, runtimes) }).await;
        self.inner.hub.close();
        let rest = async { tokio::join!(self.inner.hub.ended(), self.inner.probes.wait()) };
        let _ = timeout_at(deadline, rest).await;
    }
}

impl Drop for super::Inner {
    fn drop(&mut self) {
        // Probes hold no Backend, so they must be told.
        self.closed.cancel();
        self.hub.close();
    }
}
