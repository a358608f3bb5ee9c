//! Workers, and what they are made from.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use yoi_protocol::{
    ActiveRun, ConfigBundle, CreateWorker, Intent, IntentKind, LastRun, Outcome, PageToken,
    Reference, RequestedCapability, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerPage,
    WorkerStatus, WorkerSummary,
};

use super::texts::labels;
use super::{
    count, display_name, json_fields, outcome, page_token, run_error, run_id, runtime_id, text,
    timestamp, worker_id,
};

/// What a Worker does right now.
pub fn worker_status() -> impl Strategy<Value = WorkerStatus> + Clone {
    select(
        &[
            WorkerStatus::Idle,
            WorkerStatus::Running,
            WorkerStatus::Stopped,
        ][..],
    )
}

/// What a Worker is for, with fields of the caller's own.
pub fn intent() -> impl Strategy<Value = Intent> + Clone {
    let kinds = &[IntentKind::Assistant, IntentKind::Task, IntentKind::Role][..];
    (select(kinds), json_fields()).prop_map(|(kind, more)| Intent { kind, more })
}

/// The body of a create, with any of its fields. It validates; whether a Runtime grants what it
/// asks for is the Runtime's affair.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_testkit::strategies::create_worker;
///
/// proptest!(|(body in create_worker())| prop_assert_eq!(body.validate(), []));
/// ```
pub fn create_worker() -> impl Strategy<Value = CreateWorker> + Clone {
    let bundle = (text(), text()).prop_map(|(id, digest)| ConfigBundle { id, digest });
    let capability = (text(), option::of(text()))
        .prop_map(|(name, reason)| RequestedCapability { name, reason });
    let reference = (text(), text()).prop_map(|(name, reference)| Reference { name, reference });
    (
        option::of(worker_id()),
        option::of(display_name()),
        option::of("[ -~]{1,24}"),
        option::of(intent()),
        labels(),
        option::of(bundle),
        vec(capability, 0..3),
        vec(reference.clone(), 0..3),
        vec(reference, 0..3),
    )
        .prop_map(
            |(
                worker_id,
                display_name,
                profile,
                intent,
                labels,
                config_bundle,
                requested_capabilities,
                workspace_refs,
                mount_refs,
            )| CreateWorker {
                worker_id,
                display_name,
                profile,
                intent,
                labels,
                config_bundle,
                requested_capabilities,
                workspace_refs,
                mount_refs,
            },
        )
}

/// A run that is active.
pub fn active_run() -> impl Strategy<Value = ActiveRun> + Clone {
    (run_id(), timestamp()).prop_map(|(run_id, started_at)| ActiveRun { run_id, started_at })
}

/// A run that has ended: one that failed says why, and no other does.
pub fn last_run() -> impl Strategy<Value = LastRun> + Clone {
    (run_id(), outcome(), run_error(), timestamp()).prop_map(
        |(run_id, outcome, error, finished_at)| LastRun {
            run_id,
            outcome,
            error: (outcome == Outcome::Failed).then_some(error),
            finished_at,
        },
    )
}

type Runs = (Option<RunId>, Option<LastRun>, u64);

fn runs() -> impl Strategy<Value = Runs> + Clone {
    let idle_or_stopped = (Just(None), option::of(last_run()), count());
    let running = (run_id().prop_map(Some), option::of(last_run()), count());
    prop_oneof![idle_or_stopped, running]
}

fn times() -> impl Strategy<Value = (Timestamp, Timestamp)> + Clone {
    (timestamp(), timestamp()).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

/// A Worker as a Runtime could show it: it has an active run if, and only if, it is running, and
/// was not changed before it was created.
pub fn worker() -> impl Strategy<Value = Worker> + Clone {
    (
        (runtime_id(), worker_id(), option::of(display_name())),
        "[ -~]{1,24}",
        option::of(intent()),
        labels(),
        times(),
        runs(),
        any::<bool>(),
    )
        .prop_map(
            |(
                (runtime_id, worker_id, display_name),
                profile,
                intent,
                labels,
                (created_at, updated_at),
                (active, last_run, transcript_length),
                is_stopped,
            )| Worker {
                display_ref: display_ref(&runtime_id, &worker_id, display_name.as_deref()),
                status: match &active {
                    Some(_) => WorkerStatus::Running,
                    None if is_stopped => WorkerStatus::Stopped,
                    None => WorkerStatus::Idle,
                },
                active_run: active.map(|run_id| ActiveRun {
                    run_id,
                    started_at: updated_at,
                }),
                runtime_id,
                worker_id,
                display_name,
                profile,
                intent,
                labels,
                created_at,
                updated_at,
                transcript_length,
                last_run,
            },
        )
}

fn display_ref(runtime_id: &RuntimeId, worker_id: &WorkerId, name: Option<&str>) -> String {
    format!("{}@{runtime_id}", name.unwrap_or(worker_id.as_str()))
}

/// The short form of a [`worker`].
pub fn worker_summary() -> impl Strategy<Value = WorkerSummary> + Clone {
    worker().prop_map(|worker| worker.summary())
}

/// One page of a list: Workers of one Runtime by rising id, none of them twice.
pub fn worker_page() -> impl Strategy<Value = WorkerPage> + Clone {
    (
        runtime_id(),
        vec(worker_summary(), 0..4),
        option::of(page_token()),
    )
        .prop_map(
            |(runtime_id, mut workers, next_page): (_, Vec<WorkerSummary>, Option<PageToken>)| {
                for worker in &mut workers {
                    worker.runtime_id = runtime_id.clone();
                }
                in_order(&mut workers);
                WorkerPage { workers, next_page }
            },
        )
}

/// By `runtime_id`, then `worker_id`, each once.
pub(super) fn in_order(workers: &mut Vec<WorkerSummary>) {
    let place = |worker: &WorkerSummary| (worker.runtime_id.clone(), worker.worker_id.clone());
    workers.sort_by_key(place);
    workers.dedup_by_key(|worker| place(worker));
}
