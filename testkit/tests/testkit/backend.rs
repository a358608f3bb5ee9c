//! `TestBackend`, in front of Runtimes inside and outside of it.

use crate::watch::{outcome, watch};
use worker_runtime::ProfileSpec;
use yoi_client::{Call, Client, RetryPolicy};
use yoi_protocol::{Code, CreateWorker, InputRequest, ListQuery, Outcome, Source, TranscriptQuery};
use yoi_testkit::{Canaries, ScriptedExecutor, TestBackend, TestRuntime, TestStore, eventually};

#[tokio::test]
async fn a_worker_is_told_and_heard_inside_and_outside() {
    let (inside, mut inside_script) = ScriptedExecutor::new();
    let (outside, mut outside_script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .executor(outside)
        .start()
        .await;
    let backend = TestBackend::builder()
        .embedded_with("local", |runtime| {
            runtime
                .profile("scripted", ProfileSpec::new(inside))
                .default_profile("scripted")
        })
        .remote(&runtime)
        .start()
        .await;
    let call = Call::default();
    for (id, script) in [
        ("local", &mut inside_script),
        ("gpu-1", &mut outside_script),
    ] {
        let workers = backend.workers(id);
        let worker = workers
            .create(&CreateWorker::default(), &call)
            .await
            .unwrap()
            .value;
        assert_eq!(worker.runtime_id.as_str(), id);
        let mut frames = watch(&workers, &worker.worker_id).await;
        workers
            .input(&worker.worker_id, &InputRequest::new("hi"), &call)
            .await
            .unwrap();
        let run = script.next_run().await;
        run.say("hello").await;
        run.complete();
        assert_eq!(outcome(&mut frames).await, (Outcome::Completed, None));
        let transcript = workers
            .transcript(&worker.worker_id, &TranscriptQuery::default(), &call)
            .await
            .unwrap()
            .value;
        assert_eq!(transcript.entries.last().unwrap().content, "hello", "{id}");
    }
    backend.stop().await;
    runtime.stop().await;
}

#[tokio::test]
async fn it_knows_its_runtimes() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let backend = TestBackend::builder()
        .embedded("local")
        .remote(&runtime)
        .start()
        .await;
    let client = backend.client();
    let seen = eventually("both runtimes were seen", async || {
        let runtimes = client
            .runtimes(&Call::default())
            .await
            .unwrap()
            .value
            .runtimes;
        if runtimes
            .iter()
            .all(|runtime| runtime.last_seen_at.is_some())
        {
            Ok(runtimes)
        } else {
            Err(runtimes)
        }
    })
    .await;
    let sources: Vec<_> = seen
        .iter()
        .map(|it| (it.runtime_id.as_str(), it.source))
        .collect();
    assert_eq!(
        sources,
        [("gpu-1", Source::Remote), ("local", Source::Embedded)]
    );
}

#[tokio::test]
async fn a_runtime_that_is_killed_leaves_the_rest() {
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let mut canaries = Canaries::new();
    canaries.watch("the address", &runtime.address().to_string());
    canaries.watch("the token", "open-sesame");
    let backend = TestBackend::builder()
        .embedded("local")
        .remote(&runtime)
        .start()
        .await;
    runtime.kill().await;
    let call = Call::default();
    let error = backend
        .workers("gpu-1")
        .create(&CreateWorker::default(), &call)
        .await
        .unwrap_err();
    assert_eq!(error.failure.code, Code::RuntimeUnreachable);
    canaries.check_error("the error", &error);
    let alive = backend
        .workers("local")
        .list(&ListQuery::default(), &call)
        .await;
    assert!(alive.is_ok());
    let sweep = backend
        .client()
        .all_workers(&ListQuery::default(), &call)
        .await
        .unwrap()
        .value;
    assert_eq!(sweep.incomplete.len(), 1);
    canaries.check_debug("the sweep", &sweep);
}

#[tokio::test]
async fn a_token_is_wanted_and_given() {
    let backend = TestBackend::builder()
        .embedded("local")
        .token("alice", "alices-token")
        .token("bob", "bobs-token")
        .start()
        .await;
    let call = Call::default();
    assert!(backend.client().runtimes(&call).await.is_ok());
    let stranger = Client::builder(&backend.url())
        .unwrap()
        .retry(RetryPolicy::NEVER)
        .build()
        .unwrap();
    let error = stranger.runtimes(&call).await.unwrap_err();
    assert_eq!(error.failure.code, Code::Unauthorized);
}

#[tokio::test]
#[should_panic(expected = "two runtimes have the id local")]
async fn one_that_cannot_start_says_so() {
    let _never = TestBackend::builder()
        .embedded("local")
        .embedded("local")
        .start()
        .await;
}

/// Another start of the same Backend: the address, the tokens and the Runtimes are as they were.
#[tokio::test]
async fn it_is_started_again_where_it_was() {
    let store = TestStore::new();
    let runtime = TestRuntime::builder("gpu-1").token("knock").start().await;
    let backend = TestBackend::builder()
        .embedded_with("local", move |runtime| runtime.store(store))
        .remote(&runtime)
        .token("alice", "open-sesame")
        .start()
        .await;
    let (address, call) = (backend.address(), Call::default());
    let mut created = Vec::new();
    for id in ["local", "gpu-1"] {
        let workers = backend.workers(id);
        let worker = workers.create(&CreateWorker::default(), &call).await;
        created.push((workers, worker.unwrap().value));
    }
    backend.kill().await;
    assert!(
        created[0]
            .0
            .get(&created[0].1.worker_id, &call)
            .await
            .is_err()
    );

    backend.restart().await;
    assert_eq!(backend.address(), address);
    for (workers, worker) in &created {
        let found = workers.get(&worker.worker_id, &call).await.unwrap().value;
        assert_eq!(&found, worker);
    }
    // One that runs is stopped first; what is inside is that of the present start.
    let before = backend.inside("local");
    backend.restart().await;
    drop(before);
    assert!(
        created[0]
            .0
            .get(&created[0].1.worker_id, &call)
            .await
            .is_ok()
    );
    let stranger = backend.browser().ask("GET", "/api/runtimes").anonymous();
    let _refused = stranger.await.expect(401);
    backend.stop().await;
}
