//! What an answer means that nobody signed.

#![deny(clippy::wildcard_enum_match_arm)]

use yoi_protocol::{Code, Effect, Failure, Origin, Phase, Reason};

use super::coded::DEFAULT_RETRY_AFTER_MS;
use super::{Head, Perspective, View, garbled, timed_out};

/// The rows for uncoded answers, from 400 on.
pub(super) fn by_status(view: &View<'_>, head: &Head<'_>) -> Failure {
    let failure = match head.status {
        401 => refused(view.perspective, Code::Unauthorized),
        403 => refused(view.perspective, Code::OperationDenied),
        404 | 405 | 501 => {
            let mut failure = Failure::new(Code::OperationUnsupported);
            failure.details.operation = view.operation.map(|asked| asked.as_str().to_owned());
            failure
        }
        408 => return timed_out(Phase::Response, Effect::Unknown),
        429 | 503 => Failure::new(Code::RuntimeUnavailable)
            .with_reason(Reason::Overloaded)
            .with_effect(Effect::Unknown)
            .with_retry_after_ms(head.retry_after_ms.unwrap_or(DEFAULT_RETRY_AFTER_MS)),
        400..=499 => garbled().with_effect(Effect::None),
        500..=599 => Failure::new(Code::RuntimeFailed).with_effect(Effect::Unknown),
        _ => garbled(),
    };
    failure.by(Origin::Runtime)
}

/// A credential that was refused: the Backend's own, or that of whoever asks.
fn refused(perspective: Perspective, own: Code) -> Failure {
    match perspective {
        Perspective::Link => Failure::new(Code::RuntimeAuthFailed),
        Perspective::Caller => Failure::new(own),
    }
}
