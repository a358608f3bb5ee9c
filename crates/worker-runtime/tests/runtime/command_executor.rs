//! The `command` executor, with real programs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use worker_runtime::{ProfileConfig, Runtime};
use yoi_protocol::{Event, Limits, Outcome, RunError, Severity, Worker};

use crate::common::{self, PATIENCE, builder, cancel, contents, create, id, send, settled, stop};

/// A Runtime with one Worker `w`, which runs this script; the test is the operator here, so a
/// shell may be the program.
async fn shell(script: &str) -> Runtime {
    shell_with(script, |_| {}, Limits::default()).await
}

/// One that gives its programs a minute to end.
async fn patient_shell(script: &str) -> Runtime {
    let patient = |config: &mut ProfileConfig| config.kill_grace_ms = Some(60_000);
    shell_with(script, patient, Limits::default()).await
}

async fn shell_with(
    script: &str,
    change: impl FnOnce(&mut ProfileConfig),
    limits: Limits,
) -> Runtime {
    let mut config = ProfileConfig {
        executor: "command".to_owned(),
        program: Some("/bin/sh".to_owned()),
        args: vec!["-c".to_owned(), script.to_owned()],
        ..ProfileConfig::default()
    };
    change(&mut config);
    let profile = config.build("p").unwrap();
    let builder = builder().profile("p", profile).default_profile("p");
    let runtime = builder.limits(limits).start().await.unwrap();
    create(&runtime, "w").await;
    runtime
}

/// Sends an input and waits for the end of its run.
async fn run(runtime: &Runtime, content: &str) -> (Worker, Vec<String>) {
    send(runtime, "w", content).await;
    let worker = settled(runtime, "w").await;
    (worker, contents(runtime, "w").await)
}

fn error_of(worker: &Worker) -> Option<&RunError> {
    worker.last_run.as_ref().and_then(|run| run.error.as_ref())
}

/// The diagnostics of the last run.
async fn diagnostics(runtime: &Runtime, script: impl AsyncFnOnce()) -> Vec<(String, String)> {
    let mut watch = common::watch(runtime, "w", None).await;
    watch.until_caught_up().await;
    script().await;
    watch.until_event("run_finished").await;
    watch
        .events()
        .iter()
        .filter_map(|frame| match &frame.event {
            Event::Diagnostic { code, message, .. } => Some((code.clone(), message.clone())),
            _ => None,
        })
        .collect()
}

/// Waits for a process to be gone: every one that a run started must be.
async fn gone(pid: &str) {
    let pid = Pid::from_raw(pid.trim().parse().expect("a pid")).unwrap();
    let mut last = String::new();
    let waits = async {
        while test_kill_process(pid).is_ok() {
            let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
            last = std::fs::read_to_string(path).unwrap_or_default();
            // A zombie has ended; whoever should reap it may be slow or absent.
            if last.contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let is_gone = tokio::time::timeout(PATIENCE, waits).await.is_ok();
    assert!(is_gone, "the process is still there: {last}");
}

/// Waits until a script has written this file.
async fn written(path: &Path) -> String {
    let waits = async {
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let written = tokio::time::timeout(PATIENCE, waits).await;
    written.unwrap_or_else(|_| panic!("{} was never written", path.display()))
}

#[tokio::test]
async fn standard_input_to_standard_output() {
    let runtime = shell("tr a-z A-Z").await;
    let (worker, said) = run(&runtime, "hello, wörld\n").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
    assert_eq!(said[1], "HELLO, WöRLD\n", "verbatim, with its line end");
}

#[tokio::test]
async fn large_input_and_output_pass_at_the_same_time() {
    let runtime = shell("cat").await;
    let content = "0123456789abcdef".repeat(16 * 1024);
    let (worker, said) = run(&runtime, &content).await;
    assert_eq!(error_of(&worker), None);
    assert_eq!(said[1].len(), content.len());
    assert_eq!(said[1], content);
}

#[tokio::test]
async fn a_program_that_does_not_read_its_input_is_fine() {
    let runtime = shell("echo done").await;
    let (worker, said) = run(&runtime, &"x".repeat(200 * 1024)).await;
    assert_eq!(error_of(&worker), None);
    assert_eq!(said[1], "done\n");
}

#[tokio::test]
async fn output_is_streamed_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!(
        "echo first; while [ ! -e {} ]; do sleep 0.01; done; echo second",
        go.display()
    );
    let runtime = shell(&script).await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "x").await;
    while watch.text_since_entry() != "first\n" {
        watch.next_frame().await;
    }
    std::fs::write(&go, "").unwrap();
    watch.until_event("run_finished").await;
    assert_eq!(contents(&runtime, "w").await[1], "first\nsecond\n");
}

#[tokio::test]
async fn a_character_that_comes_in_two_writes_is_whole_and_what_is_not_utf8_is_replaced() {
    let runtime = shell(r"printf '\342\202'; sleep 0.05; printf '\254 \377 \342'").await;
    let (_, said) = run(&runtime, "x").await;
    assert_eq!(said[1], "€ \u{FFFD} \u{FFFD}");
}

#[tokio::test]
async fn another_status_fails_the_run_and_keeps_its_text() {
    let runtime = shell("echo partial; exit 3").await;
    let (worker, said) = run(&runtime, "x").await;
    let error = error_of(&worker).unwrap();
    assert_eq!(error.code, "exit_status");
    assert_eq!(error.message, "the program exited with status 3");
    assert_eq!(said[1], "partial\n");

    let runtime = shell("kill -9 $$").await;
    let (worker, _) = run(&runtime, "x").await;
    assert_eq!(
        error_of(&worker).unwrap().message,
        "the program was ended by signal 9"
    );
}

#[tokio::test]
async fn no_output_makes_no_entry() {
    let runtime = shell("true").await;
    let (worker, said) = run(&runtime, "x").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
    assert_eq!(said, ["x"]);
}

#[tokio::test]
async fn a_program_that_vanished_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("canary-program");
    std::fs::copy("/bin/true", &program).unwrap();
    let path = program.to_str().unwrap().to_owned();
    let change = |config: &mut ProfileConfig| config.program = Some(path);
    let runtime = shell_with("", change, Limits::default()).await;
    std::fs::remove_file(&program).unwrap();
    let (worker, _) = run(&runtime, "x").await;
    let error = error_of(&worker).unwrap();
    assert_eq!(error.code, "spawn_failed");
    assert!(
        !error.message.contains("canary"),
        "no path: {}",
        error.message
    );
}

#[tokio::test]
async fn the_last_part_of_standard_error_is_a_diagnostic() {
    let runtime = shell("for i in $(seq 1 3000); do echo line $i >&2; done; echo last >&2").await;
    let told = diagnostics(&runtime, async || {
        send(&runtime, "w", "x").await;
    })
    .await;
    let [(code, message)] = told.as_slice() else {
        panic!("one diagnostic, not {told:?}");
    };
    assert_eq!(code, "stderr");
    assert!(message.len() <= 8 * 1024, "{} bytes", message.len());
    assert!(message.ends_with("line 3000\nlast\n"));
}

#[tokio::test]
async fn the_end_of_standard_error_is_kept_even_if_it_is_not_utf8() {
    let script = r"head -c 8000 /dev/zero | tr '\000' '\377' >&2; echo the end >&2";
    let runtime = shell(script).await;
    let told = diagnostics(&runtime, async || {
        send(&runtime, "w", "x").await;
    })
    .await;
    let [(_, message)] = told.as_slice() else {
        panic!("one diagnostic, not {told:?}");
    };
    assert!(message.len() <= 8 * 1024, "{} bytes", message.len());
    assert!(message.starts_with('\u{FFFD}'));
    assert!(message.ends_with("\u{FFFD}the end\n"), "its end is gone");
}

#[tokio::test(start_paused = true)]
async fn a_program_is_looked_for_at_most_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let config = ProfileConfig {
        executor: "command".to_owned(),
        program: Some(program.to_str().unwrap().to_owned()),
        ..ProfileConfig::default()
    };
    let profile = config.build("p").unwrap();
    let runtime = builder().profile("p", profile).start().await.unwrap();
    let is_missing = || !runtime.info().diagnostics.is_empty();
    assert!(is_missing());
    std::fs::copy("/bin/true", &program).unwrap();
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(is_missing(), "it was looked for a moment ago");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(!is_missing());
    std::fs::remove_file(&program).unwrap();
    assert!(!is_missing());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(is_missing());
}

#[tokio::test]
async fn standard_error_of_a_failure_is_a_warning() {
    let runtime = shell("echo oh no >&2; exit 1").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "x").await;
    let frame = watch.until_event("diagnostic").await;
    let expected = Event::Diagnostic {
        severity: Severity::Warning,
        code: "stderr".to_owned(),
        message: "oh no\n".to_owned(),
    };
    assert_eq!(frame.event, expected);
    watch.until_event("run_finished").await;
}

#[tokio::test]
async fn the_environment_is_path_and_what_the_profile_passes() {
    let set = |config: &mut ProfileConfig| {
        config.env = BTreeMap::from([("GREETING".to_owned(), "hi there".to_owned())]);
        // Not through a shell, which would add variables of its own.
        config.program = Some("env".to_owned());
        config.args = Vec::new();
    };
    let runtime = shell_with("", set, Limits::default()).await;
    let (_, said) = run(&runtime, "x").await;
    let mut names: Vec<_> = said[1]
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GREETING", "PATH"]);
    assert!(said[1].contains("GREETING=hi there\n"));
}

#[tokio::test]
async fn arguments_are_never_seen_by_a_shell() {
    let set = |config: &mut ProfileConfig| {
        config.program = Some("echo".to_owned());
        config.args = vec!["$HOME; `id` && *".to_owned()];
    };
    let runtime = shell_with("", set, Limits::default()).await;
    let (_, said) = run(&runtime, "$(id)").await;
    assert_eq!(said[1], "$HOME; `id` && *\n");
}

#[tokio::test]
async fn cancel_ends_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    // A grandchild in the background, with the output open.
    let script = format!(
        "sleep 1000 & echo $! > {0}.part; echo $$ >> {0}.part; mv {0}.part {0}; wait",
        pids.display()
    );
    let runtime = shell(&script).await;
    send(&runtime, "w", "x").await;
    let pids = written(&pids).await;
    let cancelled = cancel(&runtime, "w").await;
    assert!(cancelled.cancelled_run_id.is_some());
    for pid in pids.lines() {
        gone(pid).await;
    }
}

#[tokio::test]
async fn who_ignores_term_is_killed_after_the_grace() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $! > {0}.part; echo $$ >> {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done",
        pids.display()
    );
    let runtime = shell_with(
        &script,
        |config| config.kill_grace_ms = Some(100),
        Limits::default(),
    )
    .await;
    send(&runtime, "w", "x").await;
    let pids = written(&pids).await;
    let stopped = stop(&runtime, "w").await;
    assert_eq!(stopped.worker.last_run.unwrap().outcome, Outcome::Cancelled);
    for pid in pids.lines() {
        gone(pid).await;
    }
}

#[tokio::test]
async fn every_process_of_the_group_is_told_to_end_and_given_time() {
    let folder = tempfile::tempdir().unwrap();
    let (ready, bye) = (folder.path().join("ready"), folder.path().join("bye"));
    // The program itself ends at once; its child, silent and in the background, tidies up.
    let script = format!(
        "(trap 'sleep 0.2; echo bye > {1}; exit' TERM; echo > {0}; while :; do sleep 0.02; done) >/dev/null 2>&1 & wait",
        ready.display(),
        bye.display(),
    );
    let runtime = patient_shell(&script).await;
    send(&runtime, "w", "x").await;
    written(&ready).await;
    cancel(&runtime, "w").await;
    let last_word = std::fs::read_to_string(&bye);
    assert_eq!(
        last_word.ok().as_deref(),
        Some("bye\n"),
        "it was not killed before its time"
    );
}

#[tokio::test]
async fn term_leaves_time_to_say_a_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let script = format!(
        "trap 'echo bye; exit 0' TERM; echo > {}; while :; do sleep 0.05; done",
        ready.display()
    );
    let runtime = patient_shell(&script).await;
    send(&runtime, "w", "x").await;
    written(&ready).await;
    let cancelled = cancel(&runtime, "w").await;
    assert!(
        cancelled.cancelled_run_id.is_some(),
        "it ended because it was told to"
    );
    assert_eq!(contents(&runtime, "w").await, ["x", "bye\n"]);
}

#[tokio::test]
async fn output_that_stays_open_is_cut_with_a_diagnostic() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!("sleep 1000 & echo $! > {}; echo said", pids.display());
    let runtime = shell(&script).await;
    let told = diagnostics(&runtime, async || {
        send(&runtime, "w", "x").await;
    })
    .await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "output_cut");
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
    assert_eq!(contents(&runtime, "w").await, ["x", "said\n"]);
    gone(&written(&pids).await).await;
}

#[tokio::test]
async fn a_flood_of_output_holds_up_no_end() {
    let limits = Limits {
        max_run_output_bytes: 1 << 32,
        max_backlog_bytes: 1 << 32,
        ..Limits::default()
    };
    let flood = "while :; do echo 0123456789; done";
    let runtime = shell_with(flood, |_| {}, limits.clone()).await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "x").await;
    while watch.text_since_entry().is_empty() {
        watch.next_frame().await;
    }
    drop(watch);
    assert!(cancel(&runtime, "w").await.cancelled_run_id.is_some());

    let runtime = shell_with(&format!("({flood}) & exit 0"), |_| {}, limits).await;
    let told = diagnostics(&runtime, async || {
        send(&runtime, "w", "x").await;
    })
    .await;
    assert_eq!(
        told.first().map(|(code, _)| code.as_str()),
        Some("output_cut")
    );
}

#[tokio::test]
async fn a_process_that_left_the_group_does_not_hold_up_a_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "setsid sh -c 'echo $$ > {}; exec sleep 1000' & sleep 1000",
        pids.display()
    );
    let runtime = shell_with(
        &script,
        |config| config.kill_grace_ms = Some(50),
        Limits::default(),
    )
    .await;
    send(&runtime, "w", "x").await;
    let left = written(&pids).await;
    assert!(cancel(&runtime, "w").await.cancelled_run_id.is_some());
    let pid = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
    // Not followed; the test cleans up after it.
    assert!(test_kill_process(pid).is_ok());
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn too_much_output_ends_the_program() {
    let limits = Limits {
        max_run_output_bytes: 1000,
        ..Limits::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "echo $$ > {}; while :; do echo 0123456789; done",
        pids.display()
    );
    let runtime = shell_with(&script, |_| {}, limits).await;
    let (worker, said) = run(&runtime, "x").await;
    assert_eq!(error_of(&worker).unwrap().code, "output_limit");
    assert_eq!(said[1].len(), 1000, "the text so far is kept");
    gone(&written(&pids).await).await;
}

#[tokio::test]
async fn the_group_dies_with_a_run_that_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > {0}.part; echo $$ >> {0}.part; mv {0}.part {0}; wait; sleep 1000",
        pids.display()
    );
    // It is given a minute; the drain has less, and drops it.
    let runtime = shell_with(
        &script,
        |config| config.kill_grace_ms = Some(60_000),
        Limits::default(),
    )
    .await;
    send(&runtime, "w", "x").await;
    let pids = written(&pids).await;
    runtime.drain(Duration::from_millis(500)).await;
    for pid in pids.lines() {
        gone(pid).await;
    }
    let worker = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(error_of(&worker).unwrap().code, "interrupted");
}
