//! Whether a Worker goes on, by what an upstream has told: what its end is held against.

use yoi_protocol::StreamEnd;

use super::frame::Kind;
use super::in_flight::Mark;
use crate::handle::protocol_error;

/// How a Worker goes on, as far as an upstream has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Nothing happened since the cursor after which it was opened. That may be the last one of
    /// a stopped Worker, of which a Runtime has no more to tell: its word is all there is.
    Untold,
    /// More must come, if only `worker_stopped`.
    Open,
    /// The Worker is stopped, and nothing can follow.
    Stopped,
}

impl Course {
    /// Of an upstream that has told nothing yet, opened after a cursor or from a snapshot on.
    pub(crate) fn of(is_resumed: bool) -> Self {
        if is_resumed { Self::Untold } else { Self::Open }
    }

    /// Moves on with a frame.
    pub(crate) fn saw(&mut self, kind: &Kind) {
        let next = match kind {
            Kind::Event {
                mark: Mark::Stopped,
                ..
            } => Self::Stopped,
            // A run that speaks is not the past of a stopped Worker.
            Kind::Event { .. } | Kind::Delta(_) | Kind::CaughtUp(Some(_)) => Self::Open,
            Kind::CaughtUp(None) | Kind::Other => return,
        };
        if *self != Self::Stopped {
            *self = next;
        }
    }

    /// Takes over what another upstream has told up to the same event.
    pub(crate) fn learn(&mut self, other: Self) {
        if *self == Self::Untold {
            *self = other;
        }
    }

    /// How the upstream ended in truth: a Runtime that says that nothing can follow while more
    /// must come has broken the contract, and whoever believed it would miss what comes. Where
    /// nothing can follow nothing is lost, however it ended.
    pub(crate) fn end(self, end: StreamEnd) -> StreamEnd {
        match (self, end) {
            (Self::Open, StreamEnd::Complete) => StreamEnd::Failed(protocol_error()),
            (Self::Stopped, _) => StreamEnd::Complete,
            (_, end) => end,
        }
    }
}
