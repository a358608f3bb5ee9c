//! Runtimes and handles of this project keep every promise, and nothing is skipped unseen.

use std::sync::Arc;

use worker_runtime::Runtime;
use yoi_protocol::{ListQuery, RuntimeId, WorkerStatus};
use yoi_testkit::contract::{Outcome, Target, assert_kept, check, handle, semantics, wire};
use yoi_testkit::{RemoteRuntime, ScriptedExecutor, TestRuntime};
use yoi_workspace_server::{Embedded, Remote};

use crate::lasting::{lasting, runtime};

/// What cannot be seen of a Runtime that takes everyone.
const NEEDS_A_TOKEN: [&str; 2] = [
    "credential.is_needed_everywhere",
    "credential.must_be_the_right_one",
];

fn target(runtime: &TestRuntime) -> Target {
    let target = Target::new(runtime.url())
        .profile("echo")
        .long_profile("lasting");
    match runtime.token() {
        Some(token) => target.token(token),
        None => target,
    }
}

#[tokio::test]
async fn a_runtime_with_a_token_keeps_all_of_it() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let report = check(&target(&runtime)).await.unwrap();
    assert_kept(&report, &[]);
    let all = semantics::checks().count() + wire::checks().count();
    assert_eq!((report.passed, report.checks.len()), (all, all));
    let seen = report.runtime.unwrap();
    assert_eq!(&seen.runtime_id, runtime.id());
}

#[tokio::test]
async fn a_runtime_without_a_token_keeps_all_but_what_needs_one() {
    let runtime = runtime("gpu-1").start().await;
    let report = check(&target(&runtime)).await.unwrap();
    assert_kept(&report, &NEEDS_A_TOKEN);
}

#[tokio::test]
async fn a_profile_that_lasts_in_silence_is_said_to_be_silent() {
    // Its script takes the runs, and tells them nothing.
    let (executor, _script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let target = Target::new(runtime.url())
        .profile("echo")
        .long_profile("scripted");
    let report = check(&target).await.unwrap();
    let mut skipped = vec![
        "deltas.are_in_flight_for_who_comes_late",
        "deltas.are_kept_when_the_run_is_cancelled",
    ];
    skipped.extend(NEEDS_A_TOKEN);
    assert_kept(&report, &skipped);
}

#[tokio::test]
async fn without_a_profile_that_lasts_each_check_that_needs_one_says_so() {
    let runtime = runtime("gpu-1").start().await;
    let report = check(&Target::new(runtime.url())).await.unwrap();
    assert_eq!(report.failed, 0, "{report:#?}");
    let skipped: Vec<&str> = report.skipped().map(|one| &*one.name).collect();
    assert_eq!(
        skipped,
        [
            "input.shows_the_active_run",
            "input.one_run_at_a_time",
            "input.one_of_two_at_once_wins",
            "cancel.ends_the_active_run",
            "cancel.ends_the_run_it_names",
            "cancel.spares_other_runs",
            "cancel.leaves_the_worker_usable",
            "stop.ends_the_active_run",
            "stop.is_told_last",
            "idempotency.replays_a_cancel",
            "deltas.are_in_flight_for_who_comes_late",
            "deltas.are_kept_when_the_run_is_cancelled",
            "credential.is_needed_everywhere",
            "credential.must_be_the_right_one",
        ]
    );
}

#[tokio::test]
async fn a_profile_that_does_not_last_is_said_to_end_by_itself() {
    let runtime = runtime("gpu-1").start().await;
    let target = Target::new(runtime.url()).long_profile("echo");
    let report = check(&target).await.unwrap();
    assert_eq!(report.failed, 0, "{report:#?}");
    let reason = "the long profile ended by itself".to_owned();
    let told = Outcome::Skipped { reason };
    let told = report.skipped().filter(|one| one.outcome == told);
    assert_eq!(told.count(), 12, "{report:#?}");
}

#[tokio::test]
async fn a_checked_runtime_is_left_with_stopped_workers_alone() {
    let runtime = runtime("gpu-1").start().await;
    check(&target(&runtime)).await.unwrap();
    for status in [WorkerStatus::Idle, WorkerStatus::Running] {
        let query = ListQuery {
            status: Some(status),
            ..ListQuery::default()
        };
        let left = runtime.workers().list(&query, &Default::default()).await;
        assert_eq!(left.unwrap().value.workers, []);
    }
    // In order, and at once: nothing of the checks is still listening.
    runtime.stop().await;
}

#[tokio::test]
async fn an_embedded_handle_keeps_the_contract() {
    let id = RuntimeId::parse("local").unwrap();
    let runtime = lasting(Runtime::builder(id)).start().await.unwrap();
    let handle = Arc::new(Embedded::new(runtime));
    let report = handle::check(handle, "echo", Some("lasting")).await;
    assert_kept(&report, &[]);
}

#[tokio::test]
async fn a_remote_handle_keeps_the_contract() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let remote = Remote::new(runtime.id().clone(), &runtime.remote_settings()).unwrap();
    let report = handle::check(Arc::new(remote), "echo", Some("lasting")).await;
    assert_kept(&report, &[]);
}

#[tokio::test]
async fn a_runtime_that_was_restarted_keeps_all_of_it_again() {
    let runtime = runtime("gpu-1").start().await;
    check(&target(&runtime)).await.unwrap();
    runtime.restart().await;
    let report = check(&target(&runtime)).await.unwrap();
    assert_kept(&report, &NEEDS_A_TOKEN);
}
