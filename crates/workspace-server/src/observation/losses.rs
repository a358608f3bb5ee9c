//! Whether an upstream that ended is opened again, and when: decided here, waited for elsewhere.

#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use yoi_protocol::{Code, Failure, Origin, Reason, StreamEnd};

use crate::backoff::Backoff;
use crate::handle::protocol_error;

/// What becomes of an upstream that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Its readers are told this, and that is all.
    End(StreamEnd),
    /// They are told that it is lost, and why; it is opened again after a pause.
    Again { failure: Failure, pause: Duration },
}

/// How often an upstream was lost, and how.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// In a row, none of them after all had been well for long.
    count: u32,
    /// What was said was not the contract, and nothing that is was said since.
    is_garbled: bool,
}

impl Losses {
    /// What becomes of an upstream that ended so after all had been `well` for so long, or could
    /// not be opened again.
    ///
    /// Only one that was well for longer than the longest pause begins anew with the shortest: a
    /// Runtime that greets and is gone would be asked for ever as often as one may.
    pub(super) fn lost(
        &mut self,
        end: StreamEnd,
        well: Duration,
        backoff: Backoff,
        roll: f64,
    ) -> Next {
        let Some(failure) = failure_of(end) else {
            return Next::End(StreamEnd::Complete);
        };
        if well >= backoff.max {
            self.count = 0;
        }
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
        Next::Again { failure, pause }
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

/// What went wrong with an upstream that ended so; nothing where nothing can follow.
pub(super) fn failure_of(end: StreamEnd) -> Option<Failure> {
    let unavailable = |reason| {
        Failure::new(Code::RuntimeUnavailable)
            .by(Origin::Runtime)
            .with_reason(reason)
            .with_retry_after_ms(1000)
    };
    match end {
        StreamEnd::Complete => None,
        StreamEnd::Failed(failure) => Some(failure),
        // Not the Backend but the Runtime shuts down.
        StreamEnd::Draining => Some(unavailable(Reason::Draining)),
        // It is this Backend that fell behind, and it catches up.
        StreamEnd::SlowConsumer => Some(unavailable(Reason::Overloaded)),
        // A Backend says nothing on an observation.
        StreamEnd::ObservationOnly => Some(protocol_error()),
    }
}

#[cfg(test)]
mod tests;
