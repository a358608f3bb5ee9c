//! Exit codes, by what a script can do next.

use yoi_protocol::Code;

/// How `yoi` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// Something else went wrong.
    Other,
    /// The command line or the configuration is wrong: change it.
    Usage,
    /// What was named is not there.
    NotFound,
    /// It is there, but something is in the way: try again later, or name another.
    Conflict,
    /// Nobody answered, or not in time: try again.
    Unreachable,
    /// Not with this credential, or not from here.
    NotAllowed,
}

impl Exit {
    /// The exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Unreachable => 5,
            Self::NotAllowed => 6,
        }
    }
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        match code {
            Code::InvalidRequest | Code::CursorInvalid => Self::Usage,
            Code::RuntimeNotFound | Code::WorkerNotFound | Code::RouteNotFound => Self::NotFound,
            Code::WorkerAlreadyExists
            | Code::WorkerBusy
            | Code::WorkerStopped
            | Code::IdempotencyConflict
            | Code::LimitReached => Self::Conflict,
            Code::RuntimeUnreachable
            | Code::RuntimeTimedOut
            | Code::RuntimeUnavailable
            | Code::Unavailable
            | Code::TimedOut => Self::Unreachable,
            Code::Unauthorized | Code::ForbiddenOrigin | Code::OperationDenied => Self::NotAllowed,
            Code::MethodNotAllowed
            | Code::CursorExpired
            | Code::CursorUnknown
            | Code::PayloadTooLarge
            | Code::UnsupportedMediaType
            | Code::MisdirectedRequest
            | Code::UpgradeRequired
            | Code::Internal
            | Code::StoreFailed
            | Code::OperationUnsupported
            | Code::RuntimeIdentityMismatch
            | Code::RuntimeAuthFailed
            | Code::RuntimeProtocolError
            | Code::RuntimeFailed => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;
