//! One client's watch of one Worker: caught up, then live.

use std::collections::VecDeque;
use std::fmt;

use tokio::sync::watch;
use yoi_protocol::StreamEnd;

use super::channel::Reader;
use super::frame::WatchedFrame;
use super::hub::{Attached, Hub, Key};
use super::own::Own;
use crate::telemetry::{self, Counted};

/// One client's watch of one Worker. Dropping it ends it.
pub struct Watch {
    hub: Hub,
    key: Key,
    stage: Stage,
    _counted: Counted,
}

enum Stage {
    /// Over an upstream of its own; the receiver tells when the shared frames have moved, and is
    /// there once they were looked at.
    Own(Box<Own>, Option<watch::Receiver<u64>>),
    /// From the ring: first what was missed, then what comes.
    Resumed(VecDeque<WatchedFrame>, Reader),
    /// With all others.
    Live(Reader),
    /// No more.
    Over(StreamEnd),
}

impl Stage {
    fn over(end: StreamEnd) -> Self {
        telemetry::watch_ended(&end);
        Self::Over(end)
    }
}

impl Watch {
    pub(super) fn own(hub: Hub, key: Key, own: Box<Own>) -> Self {
        Self::at(hub, key, Stage::Own(own, None))
    }

    pub(super) fn resumed(
        hub: Hub,
        key: Key,
        missed: VecDeque<WatchedFrame>,
        reader: Reader,
    ) -> Self {
        Self::at(hub, key, Stage::Resumed(missed, reader))
    }

    fn at(hub: Hub, key: Key, stage: Stage) -> Self {
        Self {
            hub,
            key,
            stage,
            _counted: Counted::watcher(),
        }
    }

    /// The next frame. Cancel-safe: a call that is dropped loses no frame.
    ///
    /// # Errors
    /// How the watch ended; the same again on every further call.
    pub async fn next(&mut self) -> Result<WatchedFrame, StreamEnd> {
        loop {
            self.hand_over();
            if let Some(next) = self.try_next() {
                return next;
            }
            let next = match &mut self.stage {
                Stage::Own(own, moved) => {
                    tokio::select! {
                        biased;
                        () = self.hub.cut(own.ends_itself()) => Err(StreamEnd::Draining),
                        () = changed(moved) => continue,
                        advanced = own.advance(&self.hub) => match advanced {
                            Ok(()) => continue,
                            Err(end) => Err(end),
                        },
                    }
                }
                Stage::Resumed(_, reader) | Stage::Live(reader) => reader.next().await,
                Stage::Over(end) => Err(end.clone()),
            };
            return self.seen(next);
        }
    }

    /// What is there already, so that frames that come together are sent together.
    pub fn try_next(&mut self) -> Option<Result<WatchedFrame, StreamEnd>> {
        let next = match &mut self.stage {
            Stage::Own(own, _) => Some(Ok(own.pop()?)),
            Stage::Resumed(missed, reader) => match missed.pop_front() {
                Some(frame) => Some(Ok(frame)),
                None => reader.try_next(),
            },
            Stage::Live(reader) => reader.try_next(),
            Stage::Over(end) => Some(Err(end.clone())),
        };
        next.map(|next| self.seen(next))
    }

    fn seen(&mut self, next: Result<WatchedFrame, StreamEnd>) -> Result<WatchedFrame, StreamEnd> {
        if let Err(end) = &next
            && !matches!(self.stage, Stage::Over(_))
        {
            self.stage = Stage::over(end.clone());
        }
        next
    }

    /// Moves from an upstream of its own to the shared frames, as soon as they meet.
    fn hand_over(&mut self) {
        if !matches!(&self.stage, Stage::Own(own, _) if own.ready().is_some()) {
            return;
        }
        // Only for the moment in which the stage changes hands.
        let stage = std::mem::replace(&mut self.stage, Stage::Over(StreamEnd::Draining));
        self.stage = match stage {
            Stage::Own(own, _) => match self.hub.attach(&self.key, own) {
                Ok(Attached::Live(reader)) => Stage::Live(reader),
                Ok(Attached::Apart(own, progress)) => Stage::Own(own, progress),
                Err(end) => Stage::over(end),
            },
            other => other,
        };
    }
}

/// Waits for the shared frames to move; for ever where there are none, or no more.
async fn changed(moved: &mut Option<watch::Receiver<u64>>) {
    if let Some(progress) = moved
        && progress.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Own(..) => "own",
            Stage::Resumed(..) => "resumed",
            Stage::Live(_) => "live",
            Stage::Over(_) => "over",
        };
        f.debug_struct("Watch")
            .field("worker", &self.key)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
