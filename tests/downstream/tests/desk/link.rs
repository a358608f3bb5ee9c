//! The link between Backend and Runtime goes wrong, and the desk does not.

use yoi_client::Call;
use yoi_downstream::AskError;
use yoi_protocol::{Code, Operation, Reason, Role, TranscriptQuery, WorkerId};
use yoi_testkit::{Fault, FaultProxy, ScriptedExecutor, TestBackend, TestRuntime};

use crate::{desk_before, worker_of};

/// The Runtime has taken the question, and its answer is lost on the way. The question is put
/// again, and asked once.
#[tokio::test]
async fn a_lost_answer_asks_nobody_twice() {
    for fault in [Fault::ResetInBody, Fault::NotHttp, Fault::Uncoded(502)] {
        let runtime = TestRuntime::builder("gpu-1").start().await;
        let link = FaultProxy::to(&runtime).await;
        let backend = TestBackend::builder().remote(&link).start().await;
        let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

        let lost = link.inject(fault.on(Operation::SendInput).first(1));
        assert_eq!(
            desk.ask(&worker, "hello").await.unwrap(),
            "hello",
            "{fault}"
        );
        lost.undo();

        assert_eq!(questions(&backend, &worker).await, ["hello"], "{fault}");
    }
}

/// What certainly did not arrive is not in doubt.
#[tokio::test]
async fn a_runtime_that_is_not_there_was_not_asked() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder().remote(&link).start().await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

    let refused = link.inject(Fault::ConnectionRefused);
    let Err(AskError::NotAsked(failure)) = desk.ask(&worker, "hello").await else {
        panic!("the question cannot have been put");
    };
    assert_eq!(failure.code, Code::RuntimeUnreachable);
    assert_eq!(failure.details.reason, Some(Reason::Refused));
    assert!(refused.fired() > 1, "the Backend tries again by itself");
    refused.undo();

    assert!(questions(&backend, &worker).await.is_empty());
}

/// The observation breaks in the middle of the answer, and goes on where it broke.
#[tokio::test]
async fn a_broken_stream_breaks_no_answer() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder().remote(&link).start().await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

    let asked = tokio::spawn(async move { desk.ask(&worker, "and then?").await });
    let run = script.next_run().await;
    run.say("they lived ").await;
    let reset = link.inject(Fault::StreamReset.first(1));
    reset.until_fired(1).await;
    run.say("happily ever after").await;
    run.complete();

    let answer = asked.await.unwrap();
    assert_eq!(answer.unwrap(), "they lived happily ever after");
}

/// What the Worker was asked, by its own transcript.
async fn questions(backend: &TestBackend, worker: &WorkerId) -> Vec<String> {
    let (all, call) = (TranscriptQuery::default(), Call::default());
    let transcript = backend
        .workers("gpu-1")
        .transcript(worker, &all, &call)
        .await;
    let entries = transcript.unwrap().value.entries.into_iter();
    entries
        .filter(|entry| entry.role == Role::User)
        .map(|entry| entry.content)
        .collect()
}
