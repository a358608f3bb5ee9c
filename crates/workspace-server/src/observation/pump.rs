//! Moves the frames of one Worker from its upstream to those who read.

use std::pin::Pin;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use yoi_protocol::StreamEnd;

use super::channel::{Came, Channel};
use super::hub::{Hub, Key};
use super::own::silent;
use super::upstream::{Resuming, Step};
use crate::telemetry::{self, Counted};

/// What moves the frames of one Worker.
pub(super) struct Pump {
    pub(super) hub: Hub,
    pub(super) key: Key,
    pub(super) channel: Arc<Channel>,
    pub(super) upstream: Resuming,
    /// Whether the upstream ends by itself when the Backend does.
    pub(super) ends_itself: bool,
    /// Until when what was missed must be told, if anything was.
    pub(super) caught_up_by: Option<Instant>,
    pub(super) _counted: Counted,
}

/// How the upstream is left.
enum Left {
    /// By itself, or by trying to have one.
    Ended(StreamEnd),
    /// Nobody reads any more.
    Unread,
    /// The Backend ends.
    Cut,
}

impl Pump {
    /// Until the upstream has ended for good, nobody reads any more, or the Backend ends.
    pub(super) async fn run(mut self) {
        let channel = Arc::clone(&self.channel);
        let linger = self.hub.settings().linger;
        // Over all losses: one upstream after another is not what it is kept open for.
        let mut unread = std::pin::pin!(channel.unread_for(linger));
        let end = loop {
            match self.leave(unread.as_mut()).await {
                Left::Ended(end) => {
                    if let Err(end) = self.lost(end) {
                        break end;
                    }
                }
                Left::Cut => break StreamEnd::Draining,
                Left::Unread if self.hub.retire(&self.key, &self.channel) => {
                    break StreamEnd::Draining;
                }
                // Somebody came at the last moment.
                Left::Unread => unread.set(channel.unread_for(linger)),
            }
        };
        self.hub.remove(&self.key, &self.channel);
        self.channel.finish(end);
    }

    async fn leave(&mut self, unread: Pin<&mut impl Future<Output = ()>>) -> Left {
        let hub = self.hub.clone();
        let cut = hub.cut(self.ends_itself);
        tokio::select! {
            biased;
            () = cut => Left::Cut,
            () = unread => Left::Unread,
            end = self.carry() => Left::Ended(end),
        }
    }

    /// Passes frames on until the upstream ends.
    async fn carry(&mut self) -> StreamEnd {
        let Self {
            hub,
            channel,
            upstream,
            caught_up_by,
            ..
        } = self;
        loop {
            let next = upstream.next(|| channel.last_cursor());
            let next = match *caught_up_by {
                None => next.await,
                Some(by) => timeout_at(by, next)
                    .await
                    .unwrap_or_else(|_| Err(StreamEnd::Failed(silent()))),
            };
            let pushed = match next {
                Ok(Step::Frame(raw)) => channel.push(raw),
                Ok(Step::Opened) => {
                    *caught_up_by = Some(Instant::now() + hub.settings().catch_up_patience);
                    continue;
                }
                Err(end) => return end,
            };
            match pushed {
                Ok(Came::Live) => upstream.live(),
                Ok(Came::CaughtUp) => {
                    upstream.caught_up();
                    *caught_up_by = None;
                }
                Ok(Came::Past) => {}
                Err(failure) => return StreamEnd::Failed(failure),
            }
        }
    }

    /// Goes on after an end, or gives what everybody is told as the last.
    fn lost(&mut self, end: StreamEnd) -> Result<(), StreamEnd> {
        self.caught_up_by = None;
        let end = self.channel.end_of(end);
        if end == StreamEnd::Draining && self.hub.is_ending() {
            return Err(end);
        }
        if let Some(failure) = self.upstream.lost(end, self.channel.lost())? {
            let ((runtime_id, worker_id), code) = (&self.key, failure.code);
            tracing::debug!(%runtime_id, %worker_id, %code, "an upstream is lost");
            telemetry::upstream_lost(code);
            self.channel.lose(code);
        }
        Ok(())
    }
}
