//! A Runtime that ends and is there again.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpSocket;
use worker_runtime::{Store, StoreError};
use yoi_client::{Call, Workers};
use yoi_protocol::{
    Code, CreateWorker, InputRequest, ListQuery, Outcome, Reason, StreamEnd, TranscriptQuery,
    Worker, WorkerId, WorkerStatus,
};
use yoi_testkit::{ScriptedExecutor, TestBackend, TestRuntime, TestStore, Watcher, eventually};

use crate::watch::watch;

async fn create(workers: &Workers) -> WorkerId {
    let created = workers
        .create(&CreateWorker::default(), &Call::default())
        .await;
    created.unwrap().value.worker_id
}

async fn get(workers: &Workers, worker: &WorkerId) -> Worker {
    workers.get(worker, &Call::default()).await.unwrap().value
}

#[tokio::test]
async fn killed_in_the_middle_of_a_run_it_comes_back_with_what_it_acknowledged() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let (workers, call) = (runtime.workers(), Call::default());
    let before = runtime.client().runtime_info(&call).await.unwrap();
    let worker = create(&workers).await;
    workers
        .input(&worker, &InputRequest::new("hi"), &call)
        .await
        .unwrap();
    let run = script.next_run().await;
    run.say("half a w").await;

    runtime.kill().await;
    let gone = workers.get(&worker, &call).await.unwrap_err();
    assert_eq!(gone.failure.code, Code::RuntimeUnreachable);
    assert_eq!(gone.failure.details.reason, Some(Reason::Refused));

    runtime.restart().await;
    let after = runtime.client().runtime_info(&call).await.unwrap();
    assert_ne!(after.boot_id, before.boot_id);
    let found = get(&workers, &worker).await;
    assert_eq!(found.status, WorkerStatus::Idle);
    let last = found.last_run.unwrap();
    assert_eq!(last.outcome, Outcome::Failed);
    assert_eq!(last.error.unwrap().code, "interrupted");
    let transcript = workers
        .transcript(&worker, &TranscriptQuery::default(), &call)
        .await
        .unwrap()
        .value;
    assert_eq!(transcript.entries[0].content, "hi");

    // It is the same in every other way, too: its Workers run what they ran before.
    workers
        .input(&worker, &InputRequest::new("again"), &call)
        .await
        .unwrap();
    assert_eq!(script.next_run().await.input(), "again");
}

#[tokio::test]
async fn restarted_while_it_runs_it_says_goodbye_first() {
    let runtime = TestRuntime::start().await;
    let workers = runtime.workers();
    let worker = create(&workers).await;
    let mut frames = watch(&workers, &worker).await;
    let ended = async { while frames.next().await.is_ok() {} };
    let ((), ()) = tokio::join!(ended, runtime.restart());
    assert_eq!(frames.next().await.unwrap_err(), StreamEnd::Draining);
    assert_eq!(get(&workers, &worker).await.worker_id, worker);
}

#[tokio::test]
async fn while_it_is_away_its_port_is_given_to_nobody() {
    let runtime = TestRuntime::start().await;
    runtime.kill().await;
    // Whoever is given a port by the machine is not given this one, and neither is who asks.
    let other = TcpSocket::new_v4().unwrap();
    let taken = other.bind(runtime.address()).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    runtime.restart().await;
}

#[tokio::test]
async fn a_backend_finds_it_again() {
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let backend = TestBackend::builder().remote(&runtime).start().await;
    let workers = backend.workers("gpu-1");
    let worker = create(&workers).await;
    runtime.kill().await;
    let call = Call::default();
    assert!(workers.get(&worker, &call).await.is_err());
    runtime.restart().await;
    eventually("the Backend reaches it", async || {
        workers.get(&worker, &call).await
    })
    .await;
}

#[tokio::test]
async fn a_store_of_the_test_outlives_them_all() {
    let store = TestStore::new();
    let runtime = TestRuntime::builder("gpu-1")
        .store(store.clone())
        .start()
        .await;
    create(&runtime.workers()).await;
    drop(runtime);
    store.fail(StoreError::Refused("the disk is full"));

    let opened = Arc::new(AtomicUsize::new(0));
    let (count, found) = (Arc::clone(&opened), Arc::clone(&store));
    let runtime = TestRuntime::builder("gpu-1")
        .store_from(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Arc::clone(&found) as Arc<dyn Store>
        })
        .start()
        .await;
    let (workers, call) = (runtime.workers(), Call::default());
    let list = workers.list(&ListQuery::default(), &call).await.unwrap();
    assert_eq!(list.value.workers.len(), 1);
    let refused = workers.create(&CreateWorker::default(), &call).await;
    assert_eq!(refused.unwrap_err().failure.code, Code::StoreFailed);
    assert_eq!(store.told(), 1);
    runtime.restart().await;
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn its_own_store_keeps_what_its_limits_say() {
    let limits = yoi_protocol::Limits {
        max_worker_events: 4,
        ..yoi_protocol::Limits::default()
    };
    let runtime = TestRuntime::builder("gpu-1").limits(limits).start().await;
    let (workers, call) = (runtime.workers(), Call::default());
    let worker = create(&workers).await;
    let first = InputRequest::new("1");
    let first = workers.input(&worker, &first, &call).await.unwrap().value;
    for round in 0..4 {
        eventually("it is idle", async || {
            let worker = get(&workers, &worker).await;
            match worker.status {
                WorkerStatus::Idle => Ok(()),
                _ => Err(worker),
            }
        })
        .await;
        let next = InputRequest::new(format!("{round}"));
        workers.input(&worker, &next, &call).await.unwrap();
    }
    let code = match workers.events(&worker, Some(&first.cursor), &call).await {
        Err(error) => error.failure.code,
        Ok(frames) => match Watcher::of(frames).end().await {
            StreamEnd::Failed(failure) => failure.code,
            end => panic!("{end:?}"),
        },
    };
    assert_eq!(code, Code::CursorExpired);
}

#[tokio::test]
async fn it_takes_another_token_and_the_old_one_no_more() {
    let runtime = TestRuntime::builder("gpu-1").token("old").start().await;
    let (before, call) = (runtime.client(), Call::default());
    assert!(before.runtime_info(&call).await.is_ok());
    runtime.rotate_token("new");
    let error = before.runtime_info(&call).await.unwrap_err();
    assert_eq!(error.failure.code, Code::Unauthorized);
    assert!(runtime.client().runtime_info(&call).await.is_ok());
    runtime.restart().await;
    assert!(runtime.client().runtime_info(&call).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_ends_in_a_test_whose_time_stands_still() {
    let runtime = TestRuntime::start().await;
    runtime.stop().await;
    runtime.restart().await;
    runtime.kill().await;
    // A second end is none.
    runtime.stop().await;
    runtime.kill().await;
}
