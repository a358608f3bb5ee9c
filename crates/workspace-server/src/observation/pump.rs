//! Moves the frames of one Worker from its upstream to those who read, and opens the upstream
//! again when it is lost.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};
use yoi_protocol::{Origin, StreamEnd};

use super::channel::{Came, Channel};
use super::hub::{Hub, Key};
use super::own::silent;
use super::resume::{Losses, Next};
use crate::handle::{CallContext, Upstream};
use crate::registry::Entry;

/// What moves the frames of one Worker.
pub(super) struct Pump {
    pub(super) hub: Hub,
    pub(super) key: Key,
    pub(super) entry: Arc<Entry>,
    pub(super) channel: Arc<Channel>,
    pub(super) losses: Losses,
}

/// Where the upstream is.
enum State {
    /// Frames come; until then what was missed must be told, if anything was.
    Live(Box<dyn Upstream>, Option<Instant>),
    /// It is lost, and opened again then.
    Waiting(Instant),
    /// It is being opened from the last cursor.
    Connecting,
}

/// How a state is left.
enum Left {
    /// By the upstream, or by trying to have one.
    Ended(StreamEnd),
    Moved(State),
    /// Nobody reads any more.
    Unread,
    /// The Backend ends.
    Cut,
}

impl Pump {
    /// Until the upstream has ended for good, nobody reads any more, or the Backend ends.
    pub(super) async fn run(mut self, upstream: Box<dyn Upstream>) {
        let mut state = State::Live(upstream, None);
        let end = loop {
            let left = self.leave(&mut state).await;
            state = match left {
                Left::Moved(next) => next,
                Left::Ended(end) => match self.lost(end) {
                    Ok(next) => next,
                    Err(end) => break end,
                },
                Left::Cut => break StreamEnd::Draining,
                Left::Unread if self.hub.retire(&self.key, &self.channel) => {
                    break StreamEnd::Draining;
                }
                // Somebody came at the last moment.
                Left::Unread => state,
            };
        };
        self.hub.remove(&self.key, &self.channel);
        self.channel.finish(end);
    }

    /// How the state is left. One that is not left, since nobody seemed to read, is gone on with.
    async fn leave(&mut self, state: &mut State) -> Left {
        let (hub, channel) = (self.hub.clone(), Arc::clone(&self.channel));
        let cut = hub.cut(self.entry.ends_with_us);
        let unread = channel.unread_for(hub.settings().linger);
        let staying = async {
            match state {
                State::Live(upstream, until) => self.carry(&mut **upstream, until).await,
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    Left::Moved(State::Connecting)
                }
                State::Connecting => self.connect().await,
            }
        };
        tokio::select! {
            biased;
            () = cut => Left::Cut,
            () = unread => Left::Unread,
            left = staying => left,
        }
    }

    /// Passes frames on until the upstream ends.
    async fn carry(&mut self, upstream: &mut dyn Upstream, until: &mut Option<Instant>) -> Left {
        loop {
            let next = async {
                match *until {
                    None => upstream.next().await,
                    Some(until) => tokio::time::timeout_at(until, upstream.next())
                        .await
                        .unwrap_or_else(|_| Err(StreamEnd::Failed(silent()))),
                }
            };
            let pushed = match next.await {
                Ok(raw) => self.channel.push(raw),
                Err(end) => return Left::Ended(end),
            };
            match pushed {
                Ok(Came::Live) => self.losses.live(),
                Ok(Came::CaughtUp) => {
                    self.losses.caught_up();
                    *until = None;
                }
                Ok(Came::Past) => {}
                Err(failure) => return Left::Ended(StreamEnd::Failed(failure)),
            }
        }
    }

    /// Opens the upstream again.
    async fn connect(&self) -> Left {
        let cursor = match self.channel.last_cursor() {
            Ok(cursor) => cursor,
            Err(failure) => return Left::Ended(StreamEnd::Failed(failure)),
        };
        let call = CallContext {
            deadline: Some(Instant::now() + self.entry.timeouts.request),
            ..CallContext::default()
        };
        let (_, worker_id) = &self.key;
        let observed = self.entry.handle.observe(worker_id, Some(&cursor), &call);
        match self.entry.settle(observed.await) {
            Ok(upstream) => {
                let until = Instant::now() + self.hub.settings().catch_up_patience;
                Left::Moved(State::Live(upstream, Some(until)))
            }
            Err(failure) => Left::Ended(StreamEnd::Failed(failure)),
        }
    }

    /// What comes after an upstream that ended: what everybody is told as the last, else.
    fn lost(&mut self, end: StreamEnd) -> Result<State, StreamEnd> {
        let end = self.channel.end_of(end);
        if end == StreamEnd::Draining && self.hub.is_ending() {
            return Err(end);
        }
        let is_ours =
            matches!(&end, StreamEnd::Failed(failure) if failure.origin == Some(Origin::Backend));
        let backoff = self.hub.settings().backoff;
        match self.losses.lost(end, backoff, fastrand::f64()) {
            Next::End(end) => Err(end),
            Next::Again { code, pause } => {
                let (runtime_id, worker_id) = &self.key;
                tracing::debug!(%runtime_id, %worker_id, %code, "an upstream is lost");
                // That it is not asked at the moment is nothing new to who knows that it is lost.
                if !(is_ours && self.channel.is_lost()) {
                    self.channel.lose(code);
                }
                Ok(State::Waiting(Instant::now() + pause))
            }
        }
    }
}
