//! Observation: what happens to a Worker, as it happens.

#[cfg(test)]
#[cfg(shuttle)]
mod interleavings;
mod past;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;
use yoi_protocol::{StreamEnd, WorkerId};

use super::feed::{Place, Read};
use super::slot::Slot;
use super::{Inner, ObservedFrame, Runtime, frames, reading};
use crate::error::RuntimeError;
use crate::quota::Permit;
use past::Past;

impl Runtime {
    /// Observes a Worker: from a snapshot, or everything after `cursor`.
    ///
    /// First comes the past, then one `caught_up`, then what happens from there on; there is no
    /// instant between them at which an event can fall through.
    ///
    /// # Errors
    /// `CursorInvalid`, `CursorUnknown`, `CursorExpired`, `WorkerNotFound`, `LimitReached`
    /// (`max_streams`), `StoreFailed`, `TimedOut`, and `Unavailable` once observations have ended.
    pub async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&str>,
    ) -> Result<Observation, RuntimeError> {
        let inner = &self.inner;
        inner.forget_due();
        if inner.closing.is_cancelled() {
            return Err(RuntimeError::Unavailable);
        }
        let slot = inner.slot(worker_id)?;
        let permit = inner
            .stream_places
            .take()
            .ok_or(RuntimeError::LimitReached {
                limit: "max_streams",
            })?;
        let past = async {
            match cursor {
                Some(cursor) => Past::after(inner, &slot, cursor).await,
                None => Past::snapshot(inner, &slot).await,
            }
        };
        let past = reading::by(inner.read_limit(), &slot.log, past).await?;
        Ok(Observation {
            inner: Arc::clone(inner),
            slot,
            ready: past.frames.into(),
            phase: Phase::CatchUp { after: past.after },
            read_limit: None,
            _permit: permit,
        })
    }
}

/// One reader of a Worker's events. Slow reading costs bounded memory and holds nobody up.
pub struct Observation {
    inner: Arc<Inner>,
    slot: Arc<Slot>,
    /// What is read and not given out.
    ready: VecDeque<ObservedFrame>,
    phase: Phase,
    /// When the read that is under way is given up. Kept here, because `next` may be dropped and
    /// called anew while it waits.
    read_limit: Option<Instant>,
    _permit: Permit,
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("worker_id", &self.slot.log.worker_id)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Phase {
    /// Reading the store, up to where the Worker is now.
    CatchUp { after: u64 },
    /// Reading the feed.
    Live { place: Place, more: Arc<Notify> },
    /// Over, once `ready` is given out.
    Ended(StreamEnd),
}

impl Observation {
    /// The next frame, waiting for it. Cancel-safe: a frame is either returned or still to come.
    ///
    /// # Errors
    /// [`StreamEnd`]: why no more frames come. The same again when called again.
    pub async fn next(&mut self) -> Result<ObservedFrame, StreamEnd> {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            match &self.phase {
                Phase::CatchUp { after } => self.catch_up(*after).await,
                Phase::Live { more, .. } => {
                    let more = Arc::clone(more);
                    let mut woken = std::pin::pin!(more.notified());
                    // From here on no push is missed; one before is found by looking again.
                    woken.as_mut().enable();
                    if let Some(next) = self.try_next() {
                        return next;
                    }
                    tokio::select! {
                        biased;
                        () = woken => {}
                        () = self.inner.closing.cancelled() => {}
                    }
                }
                Phase::Ended(_) => {}
            }
        }
    }

    /// The next frame if it is there already, for writing many at once.
    pub fn try_next(&mut self) -> Option<Result<ObservedFrame, StreamEnd>> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(Ok(frame));
        }
        let is_closing = self.inner.closing.is_cancelled();
        let read = match &mut self.phase {
            Phase::CatchUp { .. } => return None,
            Phase::Live { place, .. } => self.slot.live().read(place),
            Phase::Ended(end) => return Some(Err(end.clone())),
        };
        match read {
            Read::Frame { frame, is_last } => {
                if is_last {
                    self.end(StreamEnd::Complete);
                }
                Some(Ok(frame))
            }
            Read::Lost => Some(Err(self.end(StreamEnd::SlowConsumer))),
            Read::Nothing if is_closing => Some(Err(self.end(StreamEnd::Draining))),
            Read::Nothing => None,
        }
    }

    /// Reads on in the store, or goes over to the feed where the Worker is now.
    async fn catch_up(&mut self, after: u64) {
        if self.go_live(after) {
            return;
        }
        let limit = *self
            .read_limit
            .get_or_insert_with(|| self.inner.read_limit());
        let page = past::page(&self.inner, &self.slot, after);
        let page = reading::by(limit, &self.slot.log, page).await;
        self.read_limit = None;
        match page {
            Ok(frames) => {
                let after = after + frames.len() as u64;
                self.ready.extend(frames);
                self.phase = Phase::CatchUp { after };
            }
            Err(error) => {
                self.end(StreamEnd::Failed(error.failure()));
            }
        }
    }

    /// Joins the feed if nothing happened after `after`: looking and joining are one step, so
    /// that nothing can happen between them.
    fn go_live(&mut self, after: u64) -> bool {
        let mut live = self.slot.live();
        if live.state.seq != after {
            return false;
        }
        self.ready
            .push_back(frames::caught_up(live.said.as_deref().cloned()));
        self.phase = if live.state.is_over {
            Phase::Ended(StreamEnd::Complete)
        } else {
            let (place, more) = live.join(self.inner.limits.max_backlog_bytes);
            Phase::Live { place, more }
        };
        true
    }

    fn end(&mut self, end: StreamEnd) -> StreamEnd {
        self.leave();
        self.phase = Phase::Ended(end.clone());
        end
    }

    fn leave(&self) {
        if let Phase::Live { place, .. } = &self.phase {
            self.slot.live().leave(*place);
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.leave();
    }
}
