//! One call: what the caller says of it, and what comes back.

use std::fmt;

use tokio::time::Instant;
use yoi_protocol::{BootId, Failure, IdempotencyKey, Problem, RequestId};

/// What a caller says of one call, whatever it asks for.
///
/// The default says nothing: the client's own time limits hold, and a command that may have taken
/// effect is not sent again.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The caller waits no longer than this; it can only shorten the client's own limit.
    pub deadline: Option<Instant>,
    /// Named in the request, so that the logs of both sides join.
    pub request_id: Option<RequestId>,
    /// The trace (W3C Trace Context) to continue. What is no header value is left out.
    pub traceparent: Option<String>,
    /// Sent with commands; the same on every attempt.
    pub key: Option<IdempotencyKey>,
    /// Whether a command may be sent again after an attempt whose effect is unknown. Needs a
    /// [`key`](Self::key) as well: without one the second would not be known for the first.
    pub resend_unknown: bool,
}

impl Call {
    /// A call under a key, which may be sent again whatever happened to the first attempt.
    #[must_use]
    pub fn keyed(key: IdempotencyKey) -> Self {
        Self {
            key: Some(key),
            resend_unknown: true,
            ..Self::default()
        }
    }

    /// The same call with a deadline.
    #[must_use]
    pub fn by(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    pub(crate) fn may_resend(&self) -> bool {
        self.resend_unknown && self.key.is_some()
    }
}

/// A success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// Whether this is the answer of an earlier request with the same key.
    pub replayed: bool,
    /// Which start of the Runtime answered, where the answer says so.
    pub boot_id: Option<BootId>,
}

impl<T> Answer<T> {
    /// The same answer with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: change(self.value),
            replayed: self.replayed,
            boot_id: self.boot_id,
        }
    }
}

/// A failure, after every attempt that was worth making.
///
/// Its texts are made of the code and the typed fields: neither `Display` nor `Debug` can show an
/// address or a credential, other than what a server itself wrote into `problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// What went wrong. The effect is that of all attempts together.
    pub failure: Failure,
    /// The problem as the last attempt was answered, for callers that show a server's own words.
    pub problem: Option<Box<Problem>>,
    /// How many requests were sent, or at least begun.
    pub attempts: u32,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.failure.code, self.failure)
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        error.failure
    }
}
