//! An upstream that is opened again when it is lost: it is open, or waits to be opened, or is
//! being opened from the last cursor.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};
use yoi_protocol::{Code, Cursor, Failure, Origin, RawFrame, StreamEnd};

use super::losses::{Losses, Next};
use crate::backoff::Backoff;
use crate::handle::Upstream;

/// Opens an upstream that goes on after a cursor.
pub(super) type Open = Box<dyn Fn(Cursor) -> Opening + Send + Sync>;

/// An upstream that is being opened.
pub(super) type Opening = BoxFuture<'static, Result<Box<dyn Upstream>, Failure>>;

/// An upstream that is opened again when it is lost.
pub(super) struct Resuming {
    open: Open,
    backoff: Backoff,
    losses: Losses,
    /// Since when all is well: what was missed is told.
    well_since: Option<Instant>,
    state: State,
}

enum State {
    /// Frames come.
    Open(Box<dyn Upstream>),
    /// It is lost, and opened again then.
    Waiting(Instant),
    /// It is being opened. Kept, for whoever waits may be told to wait anew.
    Opening(Opening),
}

/// What comes of waiting for an upstream.
pub(super) enum Step {
    /// A frame.
    Frame(RawFrame),
    /// It is open again, and begins with what was missed.
    Opened,
}

impl Resuming {
    pub(super) fn new(upstream: Box<dyn Upstream>, open: Open, backoff: Backoff) -> Self {
        Self {
            open,
            backoff,
            losses: Losses::default(),
            well_since: None,
            state: State::Open(upstream),
        }
    }

    /// The next step; `cursor` is the last one. Cancel-safe.
    ///
    /// # Errors
    /// How the upstream ended, or could not be opened. It is gone on with only after it was told
    /// to be [lost](Self::lost).
    pub(super) async fn next(
        &mut self,
        cursor: impl Fn() -> Result<Cursor, Failure>,
    ) -> Result<Step, StreamEnd> {
        loop {
            self.state = match &mut self.state {
                State::Open(upstream) => return upstream.next().await.map(Step::Frame),
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    State::Opening((self.open)(cursor().map_err(StreamEnd::Failed)?))
                }
                State::Opening(opening) => {
                    let opened = opening.await;
                    self.state = State::Open(opened.map_err(StreamEnd::Failed)?);
                    return Ok(Step::Opened);
                }
            };
        }
    }

    /// Goes on after an end, if it may be better the next time. Gives how it is lost where that is
    /// news to who knows that it was lost by `known`.
    ///
    /// # Errors
    /// What readers are told as the last, else.
    pub(super) fn lost(
        &mut self,
        end: StreamEnd,
        known: Option<Code>,
    ) -> Result<Option<Failure>, StreamEnd> {
        let is_ours =
            matches!(&end, StreamEnd::Failed(failure) if failure.origin == Some(Origin::Backend));
        let well = self.well_since.take();
        let well = well.map_or(Duration::ZERO, |since| since.elapsed());
        match self.losses.lost(end, well, self.backoff, fastrand::f64()) {
            Next::End(end) => Err(end),
            Next::Again { failure, pause } => {
                self.state = State::Waiting(Instant::now() + pause);
                // That it is not asked at the moment is nothing new to who knows that it is lost.
                let is_news = known != Some(failure.code) && !(is_ours && known.is_some());
                Ok(is_news.then_some(failure))
            }
        }
    }

    /// All that was missed is told.
    pub(super) fn caught_up(&mut self) {
        self.well_since = Some(Instant::now());
    }

    /// Something came live.
    pub(super) fn live(&mut self) {
        self.losses.live();
    }
}
