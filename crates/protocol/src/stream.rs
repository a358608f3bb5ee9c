//! How an observation ends: its final diagnostic and its close code.

use crate::failure::Subject;
use crate::{Code, Failure, FrameDiagnostic};

/// Why an observation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// The Worker is stopped and everything was told: nothing can follow.
    Complete,
    /// It cannot go on.
    Failed(Failure),
    /// The reader fell too far behind; it comes back with its last cursor.
    SlowConsumer,
    /// The server shuts down; the reader comes back with its last cursor.
    Draining,
    /// The reader spoke, and this is for observation only.
    ObservationOnly,
}

impl StreamEnd {
    /// The WebSocket close code.
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Complete => 1000,
            Self::Draining => 1012,
            Self::SlowConsumer => 1013,
            Self::ObservationOnly => 1008,
            Self::Failed(failure) => close_code(failure.code),
        }
    }

    /// What the last frame says, `None` for a stream that is complete.
    #[must_use]
    pub fn diagnostic(&self, about: &Subject) -> Option<FrameDiagnostic> {
        let (code, message) = match self {
            Self::Complete => return None,
            Self::SlowConsumer => (
                "slow_consumer",
                "the reader fell too far behind; resume with the last cursor".to_owned(),
            ),
            Self::Draining => (
                "draining",
                "the server is shutting down; resume with the last cursor".to_owned(),
            ),
            Self::ObservationOnly => (
                "observation_only",
                "this stream takes no messages; send commands over HTTP".to_owned(),
            ),
            Self::Failed(failure) => (failure.code.as_str(), failure.describe(about)),
        };
        Some(FrameDiagnostic {
            code: code.to_owned(),
            message,
        })
    }
}

/// The WebSocket close code that belongs to an error code.
#[must_use]
pub const fn close_code(code: Code) -> u16 {
    match code {
        Code::CursorInvalid | Code::InvalidRequest => 4400,
        Code::Unauthorized => 4401,
        Code::OperationDenied | Code::ForbiddenOrigin => 4403,
        Code::WorkerNotFound | Code::RuntimeNotFound | Code::RouteNotFound => 4404,
        Code::MethodNotAllowed => 4405,
        Code::WorkerAlreadyExists | Code::WorkerBusy | Code::WorkerStopped => 4409,
        Code::CursorExpired | Code::CursorUnknown => 4410,
        Code::PayloadTooLarge => 4413,
        Code::UnsupportedMediaType => 4415,
        Code::MisdirectedRequest => 4421,
        Code::IdempotencyConflict => 4422,
        Code::UpgradeRequired => 4426,
        Code::LimitReached => 4429,
        Code::Internal | Code::StoreFailed => 4500,
        Code::OperationUnsupported => 4501,
        Code::RuntimeUnreachable
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError
        | Code::RuntimeFailed => 4502,
        Code::Unavailable | Code::RuntimeUnavailable => 4503,
        Code::TimedOut | Code::RuntimeTimedOut => 4504,
    }
}
