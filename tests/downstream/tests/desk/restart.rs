//! The Runtime is killed in the middle of an answer, and comes back.

use yoi_downstream::AskError;
use yoi_testkit::{ScriptedExecutor, TestBackend, TestRuntime};

use crate::{desk_before, worker_of};

#[tokio::test]
async fn a_killed_runtime_leaves_nobody_waiting() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let backend = TestBackend::builder().remote(&runtime).start().await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

    let (first, to) = (desk.clone(), worker.clone());
    let asked = tokio::spawn(async move { first.ask(&to, "a long story?").await });
    let _run = script.next_run().await;
    runtime.kill().await;
    runtime.restart().await;

    // The run did not outlive its process. The Worker did.
    let Err(AskError::Failed(Some(why))) = asked.await.unwrap() else {
        panic!("nobody is left who could answer");
    };
    assert_eq!(why.code, "interrupted");
    let asked = tokio::spawn(async move { desk.ask(&worker, "a short one?").await });
    let run = script.next_run().await;
    run.say("the end").await;
    run.complete();
    assert_eq!(asked.await.unwrap().unwrap(), "the end");
}
