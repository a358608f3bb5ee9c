//! What the Backend knows of a Runtime without asking: as last seen, and how it last failed.
//!
//! A status is derived when it is read, so it ages by itself. A lost link changes what is said
//! of the Runtime, never what is said of its Workers.

#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use yoi_protocol::{
    Capability, Code, Failure, LastError, Limits, Origin, RuntimeInfo, RuntimeState, RuntimeStatus,
    Severity, Timestamp,
};

/// How Runtimes are looked after in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceSettings {
    /// How often each Runtime is asked, give or take a fifth, so that Backends that were started
    /// together do not ask together.
    pub every: Duration,
    /// After how long without word a Runtime's status is `unknown`.
    pub stale_after: Duration,
}

impl Default for PresenceSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            stale_after: Duration::from_secs(20),
        }
    }
}

impl PresenceSettings {
    /// The pause before the next probe; `roll` is a number from 0 to 1.
    pub(crate) fn pause(&self, roll: f64) -> Duration {
        self.every.mul_f64(0.8 + 0.4 * roll)
    }
}

/// What is known of one Runtime.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    info: Option<(RuntimeInfo, Instant)>,
    seen: Option<(Timestamp, Instant)>,
    error: Option<(LastError, Instant)>,
}

/// What is known of one Runtime, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) status: RuntimeStatus,
    pub(crate) last_seen_at: Option<Timestamp>,
    pub(crate) age_ms: Option<u64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) info: Option<RuntimeInfo>,
}

impl Presence {
    /// The Runtime told of itself.
    pub(crate) fn told(&self, info: RuntimeInfo) {
        let now = Instant::now();
        let mut known = self.lock();
        known.info = Some((info, now));
        known.seen = Some((Timestamp::now(), now));
        known.error = None;
    }

    /// The Runtime answered something, well or with a refusal of its own.
    pub(crate) fn answered(&self) {
        let mut known = self.lock();
        known.seen = Some((Timestamp::now(), Instant::now()));
        known.error = None;
    }

    /// The Runtime failed to answer, or its answer was none.
    pub(crate) fn failed(&self, failure: &Failure) {
        let error = LastError {
            code: failure.code,
            reason: failure.details.reason,
            at: Timestamp::now(),
        };
        self.lock().error = Some((error, Instant::now()));
    }

    /// Takes what a call came to as a sign of life, or of the lack of it.
    pub(crate) fn note<T>(&self, result: &Result<T, Failure>) {
        match result {
            Ok(_) => self.answered(),
            // What the Backend refuses by itself says nothing of the Runtime.
            Err(failure) if failure.origin == Some(Origin::Backend) => {}
            Err(failure) => match is_of_the_link(failure.code) {
                Some(true) => self.failed(failure),
                Some(false) => self.answered(),
                None => {}
            },
        }
    }

    /// What the Runtime can do, where that is known.
    pub(crate) fn capability(&self, capability: &Capability) -> Option<bool> {
        let known = self.lock();
        let (info, _) = known.info.as_ref()?;
        Some(info.capabilities.contains(capability))
    }

    /// What the Runtime bounds, where that is known.
    pub(crate) fn limits(&self) -> Option<Limits> {
        let known = self.lock();
        known.info.as_ref().map(|(info, _)| info.limits.clone())
    }

    /// What is known right now.
    pub(crate) fn sight(&self, settings: &PresenceSettings) -> Sight {
        let known = self.lock().clone();
        let now = Instant::now();
        Sight {
            status: status(&known, now, settings.stale_after),
            last_seen_at: known.seen.map(|(at, _)| at),
            age_ms: known.info.as_ref().map(|(_, at)| {
                u64::try_from(now.duration_since(*at).as_millis()).unwrap_or(u64::MAX)
            }),
            last_error: known.error.map(|(error, _)| error),
            info: known.info.map(|(info, _)| info),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        // Every change above is one assignment after another: nothing is left half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(known: &Known, now: Instant, stale_after: Duration) -> RuntimeStatus {
    let heard = [
        known.seen.map(|(_, at)| at),
        known.error.as_ref().map(|(_, at)| *at),
    ];
    let Some(latest) = heard.into_iter().flatten().max() else {
        return RuntimeStatus::Unknown;
    };
    if now.duration_since(latest) > stale_after {
        return RuntimeStatus::Unknown;
    }
    if let Some((error, _)) = &known.error {
        let silent = [Code::RuntimeUnreachable, Code::RuntimeTimedOut].contains(&error.code);
        return if silent {
            RuntimeStatus::Offline
        } else {
            RuntimeStatus::Degraded
        };
    }
    match &known.info {
        Some((info, _))
            if info.status == RuntimeState::Running
                && info
                    .diagnostics
                    .iter()
                    .all(|d| d.severity != Severity::Error) =>
        {
            RuntimeStatus::Online
        }
        Some(_) => RuntimeStatus::Degraded,
        None => RuntimeStatus::Unknown,
    }
}

/// Whether a failure tells that the Runtime cannot be used (`Some(true)`), that it lives and
/// merely refused (`Some(false)`), or nothing at all.
fn is_of_the_link(code: Code) -> Option<bool> {
    match code {
        Code::RuntimeUnreachable
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError
        | Code::RuntimeFailed
        | Code::RuntimeUnavailable => Some(true),
        Code::InvalidRequest
        | Code::CursorExpired
        | Code::CursorInvalid
        | Code::CursorUnknown
        | Code::IdempotencyConflict
        | Code::LimitReached
        | Code::PayloadTooLarge
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerNotFound
        | Code::WorkerStopped => Some(false),
        // Perhaps the caller was only in a hurry: the probe, which is not, finds out.
        Code::RuntimeTimedOut
        | Code::ForbiddenOrigin
        | Code::Internal
        | Code::MethodNotAllowed
        | Code::MisdirectedRequest
        | Code::OperationDenied
        | Code::OperationUnsupported
        | Code::RouteNotFound
        | Code::RuntimeNotFound
        | Code::StoreFailed
        | Code::TimedOut
        | Code::Unauthorized
        | Code::Unavailable
        | Code::UnsupportedMediaType
        | Code::UpgradeRequired => None,
    }
}

#[cfg(test)]
mod tests;
