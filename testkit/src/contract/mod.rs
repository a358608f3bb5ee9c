//! The contract as tests: one check for each promise, for whoever implements one of its parts.
//!
//! - [`store`]: over any [`Store`](worker_runtime::Store).
//! - [`handle`]: over any [`RuntimeHandle`](yoi_workspace_server::RuntimeHandle).
//! - [`check`]: over any running Runtime, by its URL.

#[cfg(feature = "servers")]
pub mod handle;
pub mod store;

#[cfg(feature = "servers")]
pub use yoi_conformance::{
    Bench, Check, CheckError, Checked, Done, Frames, Outcome, OverHttp, ProfileError, Report,
    Subject, Target, check, check_telling, semantics, wire,
};

/// Fails the test unless every check passed but these, which were skipped.
///
/// A check that is skipped holds nothing, so a test says which may be: one more, or one less, fails
/// it.
///
/// # Panics
/// With each check that failed, and each that was skipped or not skipped unexpectedly.
///
/// ```
/// use yoi_testkit::TestRuntime;
/// use yoi_testkit::contract::{Target, assert_kept, check};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").token("open-sesame").start().await;
/// let target = Target::new(runtime.url()).token("open-sesame").profile("echo");
/// let report = check(&target).await.unwrap();
///
/// // What is skipped without a profile whose runs last.
/// let skipped: Vec<&str> = report.skipped().map(|one| one.name.as_str()).collect();
/// assert_kept(&report, &skipped);
/// # }
/// ```
#[cfg(feature = "servers")]
#[track_caller]
pub fn assert_kept(report: &Report, skipped: &[&str]) {
    let mut wrong: Vec<String> = Vec::new();
    for one in &report.checks {
        let may_be_skipped = skipped.contains(&one.name.as_str());
        let (name, promise) = (&one.name, &one.promise);
        match &one.outcome {
            Outcome::Passed if may_be_skipped => {
                wrong.push(format!("{name} passed, and was to be skipped"));
            }
            Outcome::Passed => {}
            Outcome::Failed { detail } => {
                wrong.push(format!("{name}: {promise}\n    but: {detail}"));
            }
            Outcome::Skipped { .. } if may_be_skipped => {}
            Outcome::Skipped { reason } => wrong.push(format!("{name} was skipped: {reason}")),
        }
    }
    for name in skipped {
        if report.outcome(name).is_none() {
            wrong.push(format!("there is no check {name}"));
        }
    }
    for worker_id in &report.left_behind {
        wrong.push(format!("{worker_id} is left behind, and not stopped"));
    }
    assert!(
        wrong.is_empty(),
        "the contract is not kept: {} of {} checks\n{}",
        wrong.len(),
        report.checks.len(),
        wrong.join("\n")
    );
}
