//! How much a run may say.

use worker_runtime::{OutputClosed, RunEnd, RunOutput, Runtime};
use yoi_protocol::{Diagnostic, Limits, Role, Severity};

use crate::common::{self, Script, builder, contents, create, scripted_with, send, settled};

/// A Runtime with a Worker `w`, whose runs may say so many bytes.
async fn bounded(max_run_output_bytes: u64) -> (Runtime, Script) {
    let limits = Limits {
        max_run_output_bytes,
        ..Limits::default()
    };
    let (runtime, script) = scripted_with(|builder| builder.limits(limits)).await;
    create(&runtime, "w").await;
    (runtime, script)
}

#[tokio::test]
async fn max_run_output_bytes_fails_the_run_and_keeps_its_text() {
    let (runtime, mut script) = bounded(10).await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("12345678").await;
    run.say("€uro").await;
    run.cancelled().await;
    let _ = run.output().text("more").await;
    run.end(RunEnd::Cancelled);
    watch.until_event("run_finished").await;
    let worker = settled(&runtime, "w").await;
    let error = worker.last_run.unwrap().error.unwrap();
    assert_eq!(error.code, "output_limit");
    assert_eq!(
        contents(&runtime, "w").await,
        ["go", "12345678"],
        "whole characters only"
    );
}

#[tokio::test]
async fn output_of_exactly_the_limit_is_fine() {
    let limits = Limits {
        max_run_output_bytes: 4,
        ..Limits::default()
    };
    let runtime = builder().limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    send(&runtime, "w", "1234").await;
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().error, None);
    send(&runtime, "w", "12345").await;
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().error.unwrap().code, "output_limit");
    assert_eq!(
        contents(&runtime, "w").await,
        ["1234", "1234", "12345", "1234"]
    );
}

/// Says one thing over and over until the run is told to end, and gives how often it was taken.
async fn runaway(limit: u64, say: impl AsyncFn(&RunOutput) -> Result<(), OutputClosed>) -> usize {
    let (runtime, mut script) = bounded(limit).await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let mut said = 0;
    while !run.is_cancelled() && say(run.output()).await.is_ok() {
        said += 1;
        assert!(said < 100_000, "nobody stops it");
    }
    // It was told, and goes on nevertheless.
    for _ in 0..100 {
        let _ = say(run.output()).await;
    }
    run.end(RunEnd::Cancelled);
    let worker = settled(&runtime, "w").await;
    let error = worker.last_run.unwrap().error.unwrap();
    assert_eq!(error.code, "output_limit");
    let mut watch = common::watch(&runtime, "w", None).await;
    let seq = watch.next_event().await.seq;
    // Its snapshot, and what begins and ends a run: 1 + 3 + 2.
    usize::try_from(seq).unwrap() - 6
}

#[tokio::test]
async fn events_without_text_count_too() {
    let events = runaway(6400, async |out| out.usage(Some(1), None).await).await;
    assert_eq!(events, 100, "64 bytes each");
    let events = runaway(6400, async |out| out.tool_call_started("", "").await).await;
    assert_eq!(events, 100);
    let events = runaway(6400, async |out| out.tool_call_finished("", "").await).await;
    assert_eq!(events, 100);
    let entry = async |out: &RunOutput| out.entry(Role::Tool, "x").await;
    assert_eq!(runaway(6500, entry).await, 100, "and one for its text");
}

#[tokio::test]
async fn diagnostics_count_once_their_own_share_is_said() {
    let diagnostic = || Diagnostic {
        severity: Severity::Info,
        code: "c".to_owned(),
        message: "m".repeat(1000 - 64 - 1),
    };
    let events = runaway(10_000, async |out| out.diagnostic(diagnostic()).await).await;
    assert_eq!(events, 65 + 10, "64 KiB, and then what the run may say");
}

#[tokio::test]
async fn a_run_that_has_said_all_it_may_can_still_say_why() {
    let (runtime, mut script) = bounded(4).await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("12345").await;
    run.cancelled().await;
    let why = Diagnostic {
        severity: Severity::Warning,
        code: "stderr".to_owned(),
        message: "w".repeat(8 * 1024),
    };
    run.output().diagnostic(why).await.unwrap();
    run.end(RunEnd::Cancelled);
    watch.until_event("run_finished").await;
    assert!(watch.types().contains(&"diagnostic"), "{:?}", watch.types());
}
