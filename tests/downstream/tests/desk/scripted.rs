//! A real Runtime behind a real Backend, whose Workers say what the test tells them to.

use yoi_testkit::{ScriptedExecutor, TestBackend, TestRuntime};

use crate::{desk_before, worker_of};

/// The desk waits for the whole answer, and everyone else who watches sees it, too.
#[tokio::test]
async fn the_answer_is_complete() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let backend = TestBackend::builder().remote(&runtime).start().await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);
    let browser = backend.browser();
    let mut watcher = browser.watch("gpu-1", worker.as_str()).await;
    watcher.until_caught_up().await;

    let asked = tokio::spawn(async move { desk.ask(&worker, "who is there?").await });
    let run = script.next_run().await;
    assert_eq!(run.input(), "who is there?");
    run.say("me, ").await;
    run.say("and you?").await;
    run.complete();

    assert_eq!(asked.await.unwrap().unwrap(), "me, and you?");
    watcher.until_event("run_finished").await;
    assert!(watcher.types().contains(&"entry_appended"));
}

/// A Worker that cannot answer says why.
#[tokio::test]
async fn a_failed_run_is_told() {
    let (executor, mut script) = ScriptedExecutor::new();
    let backend = TestBackend::builder()
        .embedded_with("gpu-1", |runtime| {
            runtime
                .profile("scripted", worker_runtime::ProfileSpec::new(executor))
                .default_profile("scripted")
        })
        .start()
        .await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

    let asked = tokio::spawn(async move { desk.ask(&worker, "why?").await });
    script
        .next_run()
        .await
        .fail("out_of_words", "there is nothing to say");

    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the worker could not answer: out_of_words"
    );
}
