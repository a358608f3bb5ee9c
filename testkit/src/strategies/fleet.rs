//! What a Backend says of all its Runtimes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use yoi_protocol::{
    CircuitState, CircuitView, Incomplete, LastError, RuntimeDetail, RuntimeEntry, RuntimeList,
    RuntimeStatus, Source, WorkerSummary, WorkerSweep,
};

use super::problems::reason;
use super::workers::in_order;
use super::{
    boot_id, capability, code, count, diagnostic, display_name, limits, page_token, profile,
    runtime_id, timestamp, worker_counts, worker_summary,
};

fn last_error() -> impl Strategy<Value = LastError> + Clone {
    (code(), option::of(reason()), timestamp()).prop_map(|(code, reason, at)| LastError {
        code,
        reason,
        at,
    })
}

fn circuit() -> impl Strategy<Value = CircuitView> + Clone {
    let states = &[
        CircuitState::Closed,
        CircuitState::Open,
        CircuitState::HalfOpen,
    ][..];
    (select(states), timestamp()).prop_map(|(state, at)| CircuitView {
        state,
        next_probe_at: (state == CircuitState::Open).then_some(at),
    })
}

/// What a Backend knows of one Runtime. Whoever was never seen has no age.
pub fn runtime_entry() -> impl Strategy<Value = RuntimeEntry> + Clone {
    let states = &[
        RuntimeStatus::Online,
        RuntimeStatus::Offline,
        RuntimeStatus::Degraded,
        RuntimeStatus::Unknown,
    ][..];
    let seen = (timestamp(), count(), boot_id(), option::of(worker_counts()));
    (
        (runtime_id(), display_name()),
        select(&[Source::Embedded, Source::Remote][..]),
        select(states),
        option::of(seen),
        option::of(last_error()),
        option::of(circuit()),
        vec(capability(), 0..4),
    )
        .prop_map(
            |(
                (runtime_id, display_name),
                source,
                status,
                seen,
                last_error,
                circuit,
                capabilities,
            )| {
                let (last_seen_at, age_ms, boot_id, workers) = match seen {
                    Some((at, age, boot, workers)) => (Some(at), Some(age), Some(boot), workers),
                    None => (None, None, None, None),
                };
                RuntimeEntry {
                    api_version: boot_id.as_ref().map(|_| "v1".to_owned()),
                    runtime_id,
                    display_name,
                    source,
                    status,
                    last_seen_at,
                    age_ms,
                    last_error,
                    circuit,
                    capabilities,
                    boot_id,
                    workers,
                }
            },
        )
}

/// All Runtimes of a Backend, by rising id, none of them twice.
pub fn runtime_list() -> impl Strategy<Value = RuntimeList> + Clone {
    vec(runtime_entry(), 0..4).prop_map(|mut runtimes| {
        runtimes.sort_by(|one, other| one.runtime_id.cmp(&other.runtime_id));
        runtimes.dedup_by(|one, other| one.runtime_id == other.runtime_id);
        RuntimeList { runtimes }
    })
}

/// One Runtime of a Backend, with all that is known of it.
pub fn runtime_detail() -> impl Strategy<Value = RuntimeDetail> + Clone {
    (
        runtime_entry(),
        vec(profile(), 0..3),
        option::of(limits()),
        vec(diagnostic(), 0..3),
    )
        .prop_map(|(entry, profiles, limits, diagnostics)| RuntimeDetail {
            entry,
            profiles,
            limits,
            diagnostics,
        })
}

/// One page of the Workers of all Runtimes: by `runtime_id`, then `worker_id`, none of them twice.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_testkit::strategies::worker_sweep;
///
/// proptest!(|(page in worker_sweep())| {
///     let place = |index: usize| {
///         let worker = &page.workers[index];
///         (&worker.runtime_id, &worker.worker_id)
///     };
///     for next in 1..page.workers.len() {
///         prop_assert!(place(next - 1) < place(next));
///     }
/// });
/// ```
pub fn worker_sweep() -> impl Strategy<Value = WorkerSweep> + Clone {
    let incomplete =
        (runtime_id(), code()).prop_map(|(runtime_id, code)| Incomplete { runtime_id, code });
    (
        vec(worker_summary(), 0..4),
        vec(incomplete, 0..3),
        option::of(page_token()),
    )
        .prop_map(
            |(mut workers, incomplete, next_page): (Vec<WorkerSummary>, _, _)| {
                in_order(&mut workers);
                WorkerSweep {
                    workers,
                    incomplete,
                    next_page,
                }
            },
        )
}
