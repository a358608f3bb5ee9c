//! Whether a Runtime is asked at all: after several failures of the link in a row it is left alone
//! for a while, and then one call is let through to see.
//!
//! All decisions are made here, over times that are handed in; whoever asks holds the lock.

#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use tokio::time::Instant;
use yoi_client::Timeouts;
use yoi_protocol::{CircuitState, Code, Failure, Origin, Phase, Reason};

use crate::backoff::Backoff;

/// When a Runtime is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitSettings {
    /// After how many calls in a row that found nobody.
    pub failures: u32,
    /// For how long, more each time that it did not help.
    pub pause: Backoff,
}

impl CircuitSettings {
    /// A Runtime is asked whatever happened before.
    pub const NEVER: Self = Self {
        failures: u32::MAX,
        pause: Backoff {
            base: Duration::ZERO,
            max: Duration::ZERO,
        },
    };
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            pause: Backoff {
                base: Duration::from_secs(1),
                max: Duration::from_secs(30),
            },
        }
    }
}

/// What a call tells of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Somebody was there.
    Answered,
    /// Nobody was.
    Failed,
    /// It ended before anybody could know.
    Nothing,
}

impl Sign {
    /// What a call that took so long came to.
    pub(super) fn of<T>(result: &Result<T, Failure>, took: Duration, timeouts: &Timeouts) -> Self {
        let Err(failure) = result else {
            return Self::Answered;
        };
        match failure.code {
            Code::RuntimeUnreachable => Self::Failed,
            // Perhaps it was only the caller who had no time.
            Code::RuntimeTimedOut => {
                let own = match failure.details.phase {
                    Some(Phase::Connect) => timeouts.connect,
                    Some(Phase::Response | Phase::Body) => timeouts.response,
                    None => timeouts.request,
                };
                if took >= own {
                    Self::Failed
                } else {
                    Self::Nothing
                }
            }
            // Of this Backend, or of the Runtime, which then has answered.
            Code::TimedOut | Code::Internal | Code::Unavailable => match failure.origin {
                Some(Origin::Runtime) => Self::Answered,
                Some(Origin::Backend | Origin::Link) | None => Self::Nothing,
            },
            Code::InvalidRequest
            | Code::CursorExpired
            | Code::CursorInvalid
            | Code::CursorUnknown
            | Code::ForbiddenOrigin
            | Code::IdempotencyConflict
            | Code::LimitReached
            | Code::MethodNotAllowed
            | Code::MisdirectedRequest
            | Code::OperationDenied
            | Code::OperationUnsupported
            | Code::PayloadTooLarge
            | Code::RouteNotFound
            | Code::RuntimeAuthFailed
            | Code::RuntimeFailed
            | Code::RuntimeIdentityMismatch
            | Code::RuntimeNotFound
            | Code::RuntimeProtocolError
            | Code::RuntimeUnavailable
            | Code::StoreFailed
            | Code::Unauthorized
            | Code::UnsupportedMediaType
            | Code::UpgradeRequired
            | Code::WorkerAlreadyExists
            | Code::WorkerBusy
            | Code::WorkerNotFound
            | Code::WorkerStopped => Self::Answered,
        }
    }

    /// What opening a stream came to. A reset may be that of something on the way that takes no
    /// streams, and says nothing of calls.
    pub(super) fn of_opening<T>(
        result: &Result<T, Failure>,
        took: Duration,
        timeouts: &Timeouts,
    ) -> Self {
        match result {
            Err(failure) if failure.details.reason == Some(Reason::Reset) => Self::Nothing,
            result => Self::of(result, took, timeouts),
        }
    }

    /// What a look in the background came to. It has all the time that it is given, so that none
    /// came of it is no haste of a caller's.
    pub(super) fn of_look<T>(
        result: &Result<T, Failure>,
        took: Duration,
        timeouts: &Timeouts,
    ) -> Self {
        match result {
            Err(failure) if failure.code == Code::RuntimeTimedOut => Self::Failed,
            result => Self::of(result, took, timeouts),
        }
    }
}

/// By whom a sign comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ticket {
    /// By a call like any other, or a look in the background.
    Call,
    /// By the one that was let through to see, with its number.
    Trial(u64),
}

/// The circuit of one link.
#[derive(Debug)]
pub(super) struct Circuit {
    settings: CircuitSettings,
    state: State,
    /// How many were let through to see.
    trials: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls go through; so many in a row found nobody.
    Closed { failures: u32 },
    /// Calls are refused until then; it was opened so often in a row before.
    Open { until: Instant, round: u32 },
    /// One call is under way to see.
    HalfOpen { round: u32, trial: u64 },
}

/// How long whoever is refused stays away from a Runtime that may have room, or be back, soon.
pub(super) const A_MOMENT: Duration = Duration::from_secs(1);

impl Circuit {
    pub(super) fn new(settings: CircuitSettings) -> Self {
        Self {
            settings,
            state: State::Closed { failures: 0 },
            trials: 0,
        }
    }

    /// Whether a call may go through now; else for how long to stay away. Whoever may says later
    /// what it [came to](Self::note).
    pub(super) fn admit(&mut self, now: Instant) -> Result<Ticket, Duration> {
        match self.state {
            State::Closed { .. } => Ok(Ticket::Call),
            State::Open { until, round } if now >= until => {
                self.trials += 1;
                let trial = self.trials;
                self.state = State::HalfOpen { round, trial };
                Ok(Ticket::Trial(trial))
            }
            State::Open { .. } | State::HalfOpen { .. } => Err(self.closed_for(now)),
        }
    }

    /// For how long a call would be refused.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        match self.state {
            State::Closed { .. } => Duration::ZERO,
            State::Open { until, .. } => until.saturating_duration_since(now),
            State::HalfOpen { .. } => A_MOMENT,
        }
    }

    /// Takes what a call tells; `roll` is a number from 0 to 1.
    ///
    /// Whoever is answered shows that the Runtime is there. That it is not, while one call is under
    /// way to see, is for that one alone to say: others may have begun before.
    pub(super) fn note(&mut self, sign: Sign, by: Ticket, now: Instant, roll: f64) {
        let pause = |round| self.settings.pause.pause(round, 0.5 + roll / 2.0);
        let open = |round| State::Open {
            until: now + pause(round),
            round,
        };
        self.state = match (sign, self.state) {
            (Sign::Answered, _) => State::Closed { failures: 0 },
            (Sign::Failed, State::Closed { failures }) => {
                let failures = failures.saturating_add(1);
                if failures >= self.settings.failures {
                    open(0)
                } else {
                    State::Closed { failures }
                }
            }
            (Sign::Failed, State::HalfOpen { round, trial }) if by == Ticket::Trial(trial) => {
                open(round.saturating_add(1))
            }
            // Whoever comes next is let through in its place.
            (Sign::Nothing, State::HalfOpen { round, trial }) if by == Ticket::Trial(trial) => {
                State::Open { until: now, round }
            }
            (Sign::Failed | Sign::Nothing, state) => state,
        };
    }

    /// Its state, and for how long no call goes through.
    pub(super) fn view(&self, now: Instant) -> (CircuitState, Option<Duration>) {
        match self.state {
            State::Closed { .. } => (CircuitState::Closed, None),
            State::Open { until, .. } => (
                CircuitState::Open,
                Some(until.saturating_duration_since(now)),
            ),
            State::HalfOpen { .. } => (CircuitState::HalfOpen, None),
        }
    }
}

#[cfg(test)]
mod tests;
