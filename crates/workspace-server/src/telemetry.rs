//! What an operator is told of a Backend: its metrics, every one of them named here, and in the log
//! when a Runtime comes and goes.
//!
//! No metric names a Runtime: whoever may read them need not be allowed to see every Runtime. The
//! log, which is the operator's own, does.

use std::sync::{Mutex, PoisonError};

use metrics::{Gauge, counter, gauge};
use yoi_protocol::{Code, Failure, Origin, Reason, RuntimeId, RuntimeStatus, StreamEnd};

use crate::presence::Sight;

/// Counts for as long as it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    fn one(gauge: Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }

    /// A circuit that is not closed.
    pub(crate) fn open_circuit() -> Self {
        Self::one(gauge!("yoi_backend_circuits_open"))
    }

    /// Somebody who watches a Worker.
    pub(crate) fn watcher() -> Self {
        Self::one(gauge!("yoi_backend_watchers"))
    }

    /// An upstream that all who watch a Worker share.
    pub(crate) fn shared_upstream() -> Self {
        Self::one(gauge!("yoi_backend_upstreams", "kind" => "shared"))
    }

    /// An upstream over which one watcher is caught up.
    pub(crate) fn own_upstream() -> Self {
        Self::one(gauge!("yoi_backend_upstreams", "kind" => "own"))
    }

    fn runtime(status: RuntimeStatus) -> Self {
        Self::one(gauge!("yoi_backend_runtimes", "status" => status.as_str()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// What a call to a Runtime came to. One that this Backend refused by itself, so that nothing was
/// sent, is told by its reason.
pub(crate) fn called<T>(result: &Result<T, Failure>) {
    let outcome = match result {
        Ok(_) => "ok",
        Err(failure) => match (failure.origin, failure.details.reason) {
            (Some(Origin::Backend), Some(reason)) => reason.as_str(),
            _ => failure.code.as_str(),
        },
    };
    count_call(outcome);
}

/// A call that took longer than whoever asked waits.
pub(crate) fn gave_up_call() {
    count_call(Code::RuntimeTimedOut.as_str());
}

fn count_call(outcome: &'static str) {
    counter!("yoi_backend_runtime_calls_total", "outcome" => outcome).increment(1);
}

/// Watchers were told that an upstream is lost.
pub(crate) fn upstream_lost(code: Code) {
    counter!("yoi_backend_upstreams_lost_total", "code" => code.as_str()).increment(1);
}

/// A watcher was told the end.
pub(crate) fn watch_ended(end: &StreamEnd) {
    let end = match end {
        StreamEnd::Complete => "complete",
        StreamEnd::Draining => "draining",
        StreamEnd::SlowConsumer => "slow_consumer",
        StreamEnd::ObservationOnly => "observation_only",
        StreamEnd::Failed(failure) => failure.code.as_str(),
    };
    counter!("yoi_backend_watches_ended_total", "end" => end).increment(1);
}

/// How a Runtime was said to be, last.
pub(crate) struct LastSaid(Mutex<(RuntimeStatus, Counted)>);

impl LastSaid {
    /// Of a Runtime that nobody has looked at.
    pub(crate) fn unknown() -> Self {
        let status = RuntimeStatus::Unknown;
        Self(Mutex::new((status, Counted::runtime(status))))
    }

    /// Says how a Runtime is, where that is news.
    pub(crate) fn say(&self, runtime_id: &RuntimeId, look: impl FnOnce() -> Sight) {
        let sight = {
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, so that an older sight is never said after a newer one.
            let sight = look();
            if said.0 == sight.status {
                return;
            }
            // One assignment: nothing is left half done.
            *said = (sight.status, Counted::runtime(sight.status));
            sight
        };
        let status = sight.status;
        if status == RuntimeStatus::Online {
            tracing::info!(%runtime_id, "a runtime is online");
        } else {
            let error = sight.last_error.as_ref();
            let code = error.map(|error| error.code.as_str());
            let reason = error.and_then(|error| error.reason).map(Reason::as_str);
            let status = status.as_str();
            tracing::warn!(%runtime_id, status, code, reason, "a runtime is not well");
        }
    }
}

/// A Runtime is not asked any more for a while.
pub(crate) fn left_alone(runtime_id: &RuntimeId) {
    tracing::warn!(%runtime_id, "nobody answers for a runtime: it is left alone for a while");
}

/// A Runtime that was left alone is asked again.
pub(crate) fn asked_again(runtime_id: &RuntimeId) {
    tracing::info!(%runtime_id, "a runtime that was left alone is asked again");
}
