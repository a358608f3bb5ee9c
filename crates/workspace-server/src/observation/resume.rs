//! Whether a shared upstream that ended is opened again, and when: decided here, waited for
//! elsewhere.

#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use yoi_protocol::{Code, Failure, Origin, Reason, StreamEnd};

use crate::backoff::Backoff;
use crate::handle::protocol_error;

/// What becomes of a shared upstream that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Everybody is told this, and that is all.
    End(StreamEnd),
    /// Everybody is told that it is lost, and why; it is opened again after a pause.
    Again { code: Code, pause: Duration },
}

/// How often a shared upstream was lost, and how.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// In a row.
    count: u32,
    /// What was said was not the contract, and nothing that is was said since.
    is_garbled: bool,
}

impl Losses {
    /// What becomes of an upstream that ended so, or could not be opened again.
    pub(super) fn lost(&mut self, end: StreamEnd, backoff: Backoff, roll: f64) -> Next {
        let failure = match end {
            StreamEnd::Complete => return Next::End(end),
            StreamEnd::Failed(failure) => failure,
            StreamEnd::Draining => unavailable(Reason::Draining),
            // It is this Backend that fell behind, and it catches up.
            StreamEnd::SlowConsumer => unavailable(Reason::Overloaded),
            // A Backend says nothing on an observation.
            StreamEnd::ObservationOnly => protocol_error(),
        };
        let goes_on = match outlook(failure.code) {
            Outlook::Final => false,
            Outlook::Passing => true,
            Outlook::Once => !self.is_garbled,
        };
        if !goes_on {
            return Next::End(StreamEnd::Failed(failure));
        }
        self.is_garbled |= outlook(failure.code) == Outlook::Once;
        let asked = failure.details.retry_after_ms.unwrap_or(0);
        let asked = Duration::from_millis(asked).min(backoff.max);
        let pause = backoff.pause(self.count, roll).max(asked);
        self.count = self.count.saturating_add(1);
        Next::Again {
            code: failure.code,
            pause,
        }
    }

    /// All that was missed is told.
    pub(super) fn caught_up(&mut self) {
        self.count = 0;
    }

    /// Something came live.
    pub(super) fn live(&mut self) {
        self.is_garbled = false;
    }
}

/// Whether it may be better the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// It will not.
    Final,
    /// It may, whenever that is.
    Passing,
    /// It may, but not if it is the same again.
    Once,
}

fn outlook(code: Code) -> Outlook {
    match code {
        // The Runtime cannot go on from there, or not for this Backend.
        Code::CursorExpired
        | Code::CursorInvalid
        | Code::CursorUnknown
        | Code::WorkerNotFound
        | Code::RuntimeNotFound
        | Code::OperationDenied
        | Code::OperationUnsupported
        | Code::RouteNotFound
        | Code::MethodNotAllowed
        | Code::UpgradeRequired
        | Code::InvalidRequest
        | Code::ForbiddenOrigin
        | Code::IdempotencyConflict
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerStopped => Outlook::Final,
        Code::RuntimeUnreachable
        | Code::RuntimeTimedOut
        | Code::RuntimeUnavailable
        | Code::RuntimeFailed
        | Code::RuntimeAuthFailed
        | Code::RuntimeIdentityMismatch
        | Code::MisdirectedRequest
        | Code::Unauthorized
        | Code::LimitReached
        | Code::StoreFailed
        | Code::TimedOut
        | Code::Unavailable
        | Code::Internal => Outlook::Passing,
        Code::RuntimeProtocolError => Outlook::Once,
    }
}

pub(super) fn unavailable(reason: Reason) -> Failure {
    Failure::new(Code::RuntimeUnavailable)
        .by(Origin::Runtime)
        .with_reason(reason)
}

#[cfg(test)]
mod tests;
