//! What a Runtime's own word becomes in a Backend's answer.

#![deny(clippy::wildcard_enum_match_arm)]

use yoi_protocol::{Code, Effect, Failure, Origin, Reason};

use super::garbled;

/// When to come back to a Runtime that does not say it, in milliseconds.
pub(super) const DEFAULT_RETRY_AFTER_MS: u64 = 1000;

/// What a Backend says when a Runtime has said `word`, embedded or remote alike.
///
/// For words that come without a status of their own: those of a library, or the last diagnostic
/// of an event stream.
#[must_use]
pub fn passed_on(word: Failure) -> Failure {
    let effect = word.effect;
    translate(word).unwrap_or_else(|rowless| match rowless {
        Rowless::MethodNotAllowed => Failure::new(Code::OperationUnsupported).by(Origin::Runtime),
        Rowless::UpgradeRequired => garbled().with_effect(effect),
    })
}

/// The codes that the table gives no row of their own: an answer with one is read by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rowless {
    MethodNotAllowed,
    UpgradeRequired,
}

/// The rows for coded answers.
pub(super) fn translate(word: Failure) -> Result<Failure, Rowless> {
    Ok(match word.code {
        Code::InvalidRequest
        | Code::CursorInvalid
        | Code::RouteNotFound
        | Code::RuntimeNotFound
        | Code::WorkerNotFound
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerStopped
        | Code::CursorExpired
        | Code::CursorUnknown
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::IdempotencyConflict
        | Code::LimitReached
        | Code::StoreFailed
        | Code::OperationUnsupported
        | Code::TimedOut => word.by(Origin::Runtime),
        Code::Unauthorized | Code::ForbiddenOrigin | Code::OperationDenied => {
            Failure::new(Code::RuntimeAuthFailed).by(Origin::Runtime)
        }
        Code::MisdirectedRequest => Failure::new(Code::RuntimeIdentityMismatch).by(Origin::Runtime),
        Code::Unavailable => Failure::new(Code::RuntimeUnavailable)
            .by(Origin::Runtime)
            .with_reason(Reason::Draining)
            .with_effect(Effect::None)
            .with_retry_after_ms(
                word.details
                    .retry_after_ms
                    .unwrap_or(DEFAULT_RETRY_AFTER_MS),
            ),
        Code::Internal
        | Code::RuntimeUnreachable
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError
        | Code::RuntimeFailed
        | Code::RuntimeUnavailable
        | Code::RuntimeTimedOut => Failure::new(Code::RuntimeFailed)
            .by(Origin::Runtime)
            .with_effect(word.effect),
        Code::MethodNotAllowed => return Err(Rowless::MethodNotAllowed),
        Code::UpgradeRequired => return Err(Rowless::UpgradeRequired),
    })
}
