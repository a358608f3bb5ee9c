//! The end of a Runtime, in order.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Inner;
use super::run::RunControl;

impl Inner {
    pub(super) async fn drain(self: &Arc<Self>, timeout: Duration) {
        let end = Instant::now() + timeout;
        if self.draining.swap(true, Ordering::SeqCst) {
            within(end, self.closed.cancelled()).await;
            return;
        }
        // In a task of its own, to its very end: a caller who stops waiting leaves nothing half
        // done.
        let inner = Arc::clone(self);
        let draining = tokio::spawn(async move {
            // Dropped in reverse, even if draining fails: observations end, then the drain.
            let _closed = inner.closed.clone().drop_guard();
            let _closing = inner.closing.clone().drop_guard();
            inner.drain_by(end).await;
        });
        if let Err(error) = draining.await {
            tracing::error!(%error, "draining failed");
        }
    }

    async fn drain_by(&self, end: Instant) {
        // A part of the time each, so that a command that hangs leaves time to end the runs, and
        // a run that does not end in order leaves time to be cut off and recorded.
        let left = end.saturating_duration_since(Instant::now());
        self.commands.close();
        within(end - left / 2, self.commands.wait()).await;
        self.runs.close();
        self.each_run(|run| &run.cancelled);
        within(end - left / 5, self.runs.wait()).await;
        self.each_run(|run| &run.cut);
        within(end, self.runs.wait()).await;
        if !self.runs.is_empty() {
            tracing::warn!(
                runs = self.runs.len(),
                "runs are left that did not end in time"
            );
        }
    }

    fn each_run(&self, token: impl Fn(&RunControl) -> &CancellationToken) {
        for slot in self.catalog().values() {
            if let Some(run) = &slot.live().run {
                token(run).cancel();
            }
        }
    }
}

async fn within(end: Instant, work: impl Future<Output = ()>) {
    // Not in time is an answer, too: whoever drains goes on to the next step.
    let _ = timeout_at(end, work).await;
}
