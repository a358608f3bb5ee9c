//! Whether to try again: a pure decision. The waiting is elsewhere.

use std::time::Duration;

use yoi_protocol::{Code, Effect, Failure, Reason};

use crate::RetryBudget;

/// How often, and after what wait, a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included; 1 tries nothing again.
    pub max_attempts: u32,
    /// The wait after the first attempt; it doubles with each.
    pub base: Duration,
    /// The longest wait, unless the server names a longer one.
    pub max: Duration,
    /// How much is sent again over all calls.
    pub budget: RetryBudget,
}

impl RetryPolicy {
    /// Tries nothing again.
    pub const NEVER: Self = Self {
        max_attempts: 1,
        base: Duration::ZERO,
        max: Duration::ZERO,
        budget: RetryBudget {
            percent: 0,
            per_second: 0,
        },
    };
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(100),
            max: Duration::from_secs(2),
            budget: RetryBudget::default(),
        }
    }
}

/// What is known when an attempt has failed.
#[derive(Debug, Clone, Copy)]
pub struct Attempted<'a> {
    /// How many attempts were made.
    pub attempts: u32,
    /// Whether it is a command; reads change nothing.
    pub command: bool,
    /// The effect of all attempts together.
    pub effect: Effect,
    /// Whether a command may be sent again after an unknown effect: it has a key, and its caller
    /// says so.
    pub may_resend: bool,
    /// How the last attempt failed.
    pub failure: &'a Failure,
    /// Whether the server passes on how another server failed, which it has tried again itself.
    pub passed_on: bool,
    /// How much time is left.
    pub left: Duration,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait so long, then try again.
    Retry(Duration),
    /// It stays with this failure.
    Stop,
}

impl RetryPolicy {
    /// Decides, with `jitter` from 0 to 1.
    ///
    /// A command is tried again only while its effect is certainly none, or when it may be sent
    /// again regardless. The wait grows from attempt to attempt, is shortened by up to half by
    /// the jitter so that many callers do not come back as one, is never shorter than what the
    /// server asks for, and must end before the deadline.
    #[must_use]
    pub fn decide(&self, attempted: &Attempted<'_>, jitter: f64) -> Decision {
        let safe = !attempted.command || attempted.effect == Effect::None || attempted.may_resend;
        let spent = attempted.attempts >= self.max_attempts || attempted.passed_on;
        if spent || !safe || !may_pass(attempted.failure) {
            return Decision::Stop;
        }
        let doublings = attempted.attempts.saturating_sub(1).min(16);
        let full = self.base.saturating_mul(1 << doublings).min(self.max);
        let jittered = full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        let asked = attempted.failure.details.retry_after_ms.unwrap_or(0);
        let wait = jittered.max(Duration::from_millis(asked));
        if wait >= attempted.left {
            return Decision::Stop;
        }
        Decision::Retry(wait)
    }
}

/// Whether the same request may fare better a moment later. What was garbled would be garbled
/// again, and what was refused for what it says would be refused again.
fn may_pass(failure: &Failure) -> bool {
    match failure.code {
        Code::RuntimeUnreachable => match failure.details.reason {
            Some(Reason::Tls) => false,
            Some(
                Reason::Dns
                | Reason::Refused
                | Reason::Reset
                | Reason::Draining
                | Reason::Overloaded
                | Reason::CircuitOpen,
            )
            | None => true,
        },
        Code::RuntimeUnavailable => failure.details.reason != Some(Reason::CircuitOpen),
        Code::RuntimeTimedOut
        | Code::RuntimeFailed
        | Code::Unavailable
        | Code::TimedOut
        | Code::Internal => true,
        Code::InvalidRequest
        | Code::CursorInvalid
        | Code::Unauthorized
        | Code::ForbiddenOrigin
        | Code::OperationDenied
        | Code::RouteNotFound
        | Code::RuntimeNotFound
        | Code::WorkerNotFound
        | Code::MethodNotAllowed
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerStopped
        | Code::CursorExpired
        | Code::CursorUnknown
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::MisdirectedRequest
        | Code::IdempotencyConflict
        | Code::UpgradeRequired
        | Code::LimitReached
        | Code::StoreFailed
        | Code::OperationUnsupported
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError => false,
    }
}
