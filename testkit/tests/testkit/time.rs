//! Where a test pauses its own clock, the testkit waits by the machine's: nothing here is over
//! because a clock leapt.

use std::thread;
use std::time::Duration;

use serde_json::json;
use yoi_client::Call;
use yoi_protocol::{CreateWorker, WorkerStatus};
use yoi_testkit::{
    FakeRuntime, Fault, FaultProxy, ScriptedExecutor, TestBackend, TestRuntime, TestStore,
    eventually, in_real_time,
};

const WORKERS: &str = "/api/runtimes/gpu-1/workers";

#[tokio::test(start_paused = true)]
async fn a_condition_is_waited_for() {
    let other = thread::spawn(|| thread::park_timeout(Duration::from_millis(100)));
    eventually("the other thread is over", async || {
        other.is_finished().then_some(()).ok_or("it runs")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder().remote(&link).start().await;
    let browser = backend.browser();
    let _listed = browser.ask("GET", WORKERS).await.expect(200);

    let slow = link.inject(Fault::SlowHead);
    let begun = browser.ask("GET", WORKERS).begin();
    slow.until_fired(1).await;
    let _listed = begun.reply().await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_stub_that_is_asked_is_waited_for() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let stub = fake
        .stop("w-1")
        .after(Duration::from_millis(50))
        .mount()
        .await;
    let path = format!("{WORKERS}/w-1/stop");
    let begun = backend
        .browser()
        .ask("POST", &path)
        .json(&json!({}))
        .begin();
    stub.until_asked(1).await;
    let _stopped = begun.reply().await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_waited_for_and_so_is_what_is_seen() {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let backend = TestBackend::builder().fake(&fake).start().await;
    let browser = backend.browser();
    let (mut observer, mut watcher) =
        tokio::join!(observers.accept(), browser.watch("gpu-1", "w-1"));
    let (_, _) = tokio::join!(observer.begin(), watcher.until_caught_up());
    watcher.hang_up();
    observer.until_gone().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_and_a_commit_are_waited_for() {
    let (executor, mut script) = ScriptedExecutor::new();
    let store = TestStore::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .store(store.clone())
        .start()
        .await;
    let create = json!({"worker_id": "w-1"});
    let created = runtime.ask("POST", "/v1/workers").json(&create).await;
    let _created = created.expect(201);
    let hi = json!({"content": "hi"});
    let input = runtime
        .ask("POST", "/v1/workers/w-1/input")
        .json(&hi)
        .begin();
    let run = script.next_run().await;
    let _accepted = input.reply().await.expect(202);
    run.say("hello").await;

    store.hold();
    let cancel = runtime
        .ask("POST", "/v1/workers/w-1/cancel")
        .json(&json!({}));
    let cancel = cancel.begin();
    run.cancelled().await;
    store.until_held().await;
    store.release();
    let _cancelled = cancel.reply().await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_typed_client_is_called_in_real_time() {
    let backend = TestBackend::builder().embedded("local").start().await;
    backend.until_seen().await;
    let workers = backend.workers("local");
    let created = in_real_time(async move {
        let call = Call::default();
        workers.create(&CreateWorker::default(), &call).await
    });
    assert_eq!(created.await.unwrap().value.status, WorkerStatus::Idle);
}
