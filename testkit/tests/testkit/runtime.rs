//! `TestRuntime` and `ScriptedExecutor`, over the real wire.

use std::time::Duration;

use crate::watch::{outcome, watch};
use worker_runtime::RunEnd;
use yoi_client::{Call, Client, Workers};
use yoi_protocol::{
    Api, CancelRequest, Code, CreateWorker, InputRequest, Outcome, StreamEnd, TranscriptQuery,
    WorkerId,
};
use yoi_testkit::{ScriptedExecutor, TestRuntime, eventually};

async fn create(workers: &Workers) -> WorkerId {
    workers
        .create(&CreateWorker::default(), &Call::default())
        .await
        .unwrap()
        .value
        .worker_id
}

async fn send(workers: &Workers, worker: &WorkerId, text: &str) {
    workers
        .input(worker, &InputRequest::new(text), &Call::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_worker_says_what_its_test_tells_it() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    let mut frames = watch(&workers, &worker).await;
    send(&workers, &worker, "hi").await;

    let run = script.next_run().await;
    assert_eq!((run.worker_id(), run.input()), (&worker, "hi"));
    run.say("hel").await;
    run.say("lo").await;
    run.complete();
    assert_eq!(outcome(&mut frames).await, (Outcome::Completed, None));

    let transcript = workers
        .transcript(&worker, &TranscriptQuery::default(), &Call::default())
        .await
        .unwrap()
        .value;
    let said: Vec<&str> = transcript
        .entries
        .iter()
        .map(|entry| &*entry.content)
        .collect();
    assert_eq!(said, ["hi", "hello"]);
    // An observer that does not listen would be waited for.
    drop(frames);
    runtime.stop().await;
}

#[tokio::test]
async fn runs_end_as_they_are_told() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    let mut frames = watch(&workers, &worker).await;

    send(&workers, &worker, "fail").await;
    script.next_run().await.fail("out_of_words", "no more");
    let failed = |code: &str| (Outcome::Failed, Some(code.to_owned()));
    assert_eq!(outcome(&mut frames).await, failed("out_of_words"));

    send(&workers, &worker, "drop").await;
    drop(script.next_run().await);
    assert_eq!(outcome(&mut frames).await, failed("script_dropped"));

    send(&workers, &worker, "cancel").await;
    let run = script.next_run().await;
    let cancelling = workers
        .cancel(&worker, &CancelRequest::default(), &Call::default())
        .await
        .unwrap();
    assert_eq!(
        cancelling.value.cancelled_run_id.as_ref(),
        Some(run.run_id())
    );
    run.cancelled().await;
    assert_eq!(outcome(&mut frames).await, (Outcome::Cancelled, None));
    assert!(script.try_next_run().is_none());
}

#[tokio::test]
async fn stopped_it_says_goodbye() {
    let runtime = TestRuntime::start().await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    let mut frames = watch(&workers, &worker).await;
    let end = async {
        loop {
            if let Err(end) = frames.next().await {
                return end;
            }
        }
    };
    let (end, ()) = tokio::join!(end, runtime.stop());
    assert_eq!(end, StreamEnd::Draining);
    let error = workers.get(&worker, &Call::default()).await.unwrap_err();
    assert_eq!(error.failure.code, Code::RuntimeUnreachable);
}

#[tokio::test]
async fn killed_it_says_nothing() {
    let runtime = TestRuntime::start().await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    let mut frames = watch(&workers, &worker).await;
    runtime.kill().await;
    let end = loop {
        if let Err(end) = frames.next().await {
            break end;
        }
    };
    let StreamEnd::Failed(failure) = end else {
        panic!("{end:?}");
    };
    assert_eq!(failure.code, Code::RuntimeUnreachable);
    let error = workers.get(&worker, &Call::default()).await.unwrap_err();
    assert_eq!(error.failure.code, Code::RuntimeUnreachable);
}

#[tokio::test]
async fn dropped_it_ends() {
    let runtime = TestRuntime::start().await;
    let client = runtime.client();
    drop(runtime);
    eventually("nobody answers any more", async || {
        match client.runtime_info(&Call::default()).await {
            Ok(answer) => Err(answer),
            Err(_gone) => Ok(()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_wanted_and_given() {
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let known = runtime.client().runtime_info(&Call::default()).await;
    assert_eq!(&known.unwrap().value.runtime_id, runtime.id());
    let stranger = Client::builder(&runtime.url()).unwrap().build().unwrap();
    let error = stranger.runtime_info(&Call::default()).await.unwrap_err();
    assert_eq!(error.failure.code, Code::Unauthorized);
}

#[tokio::test]
async fn two_of_them_do_not_meet() {
    let (one, two) = tokio::join!(
        TestRuntime::builder("one").start(),
        TestRuntime::builder("two").start()
    );
    let worker = create(&one.workers()).await;
    let error = two
        .workers()
        .get(&worker, &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.code, Code::WorkerNotFound);
    // Whoever means one and reaches two is told so.
    let lost = Client::builder(&two.url())
        .unwrap()
        .addressee(one.id().clone())
        .build()
        .unwrap();
    let error = lost
        .workers(Api::Runtime)
        .get(&worker, &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.code, Code::MisdirectedRequest);
}

#[tokio::test]
#[should_panic(expected = "does not start")]
async fn one_that_cannot_start_says_so() {
    let _never = TestRuntime::builder("gpu-1")
        .runtime(|runtime| runtime.default_profile("no-such-profile"))
        .start()
        .await;
}

#[tokio::test]
async fn a_stubborn_run_is_cancelled_and_ends_when_it_likes() {
    let (executor, mut script) = ScriptedExecutor::stubborn();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor.cancel_grace(Duration::from_secs(60)))
        .start()
        .await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    send(&workers, &worker, "hi").await;
    let run = script.next_run().await;
    assert!(!run.is_cancelled());
    let (request, call) = (CancelRequest::default(), Call::default());
    let cancelling = workers.cancel(&worker, &request, &call);
    let stubborn = async {
        run.cancelled().await;
        assert!(run.is_cancelled());
        run.say("but I was not done").await;
        run.end(RunEnd::Cancelled);
    };
    let (cancelled, ()) = tokio::join!(cancelling, stubborn);
    assert!(cancelled.unwrap().value.cancelled_run_id.is_some());
    let transcript = workers
        .transcript(&worker, &TranscriptQuery::default(), &call)
        .await
        .unwrap()
        .value;
    assert_eq!(transcript.entries[1].content, "but I was not done");
}
