//! What the tests of the Runtime share.

use std::time::Duration;

use tokio::task::JoinHandle;
use worker_runtime::{CommandContext, ProfileSpec, RunEnd, Runtime, RuntimeBuilder};
use yoi_protocol::{
    CancelRequest, Cancelled, CreateWorker, IdempotencyKey, InputAccepted, InputRequest, RuntimeId,
    StopRequest, Stopped, Transcript, TranscriptQuery, Worker, WorkerId, WorkerStatus,
};
pub(crate) use yoi_testkit::{ManualClock, Reads, Script, TestStore, Watcher};
use yoi_testkit::{ScriptedExecutor, ScriptedRun};

/// How long a test waits for what must happen. Long, for loaded machines; a test that passes
/// never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn builder() -> RuntimeBuilder {
    Runtime::builder(RuntimeId::parse("rt").unwrap())
}

/// A Runtime whose profile `script` does what the test says.
pub(crate) async fn scripted() -> (Runtime, Script) {
    scripted_with(|builder| builder).await
}

pub(crate) async fn scripted_with(
    change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
) -> (Runtime, Script) {
    let (executor, script) = ScriptedExecutor::stubborn();
    let executor = executor.cancel_grace(Duration::from_millis(200));
    let builder = builder()
        .profile("script", ProfileSpec::new(executor))
        .default_profile("script");
    (change(builder).start().await.unwrap(), script)
}

pub(crate) fn id(text: &str) -> WorkerId {
    WorkerId::parse(text).unwrap()
}

pub(crate) fn named(text: &str) -> CreateWorker {
    CreateWorker {
        worker_id: Some(id(text)),
        ..CreateWorker::default()
    }
}

pub(crate) fn plain() -> CommandContext {
    CommandContext::default()
}

pub(crate) fn keyed(key: &str) -> CommandContext {
    CommandContext {
        key: Some(IdempotencyKey::parse(key).unwrap()),
        deadline: None,
    }
}

/// The calls that most tests make, on a Worker that is expected to take them.
pub(crate) async fn create(runtime: &Runtime, name: &str) -> Worker {
    let created = runtime.create_worker(named(name), plain()).await;
    created.unwrap().value
}

pub(crate) async fn send(runtime: &Runtime, worker: &str, content: &str) -> InputAccepted {
    let worker = id(worker);
    let sent = runtime.send_input(&worker, InputRequest::new(content), plain());
    sent.await.unwrap().value
}

pub(crate) async fn cancel(runtime: &Runtime, worker: &str) -> Cancelled {
    let worker = id(worker);
    let cancelled = runtime.cancel(&worker, CancelRequest::default(), plain());
    cancelled.await.unwrap().value
}

pub(crate) async fn stop(runtime: &Runtime, worker: &str) -> Stopped {
    let worker = id(worker);
    let stopped = runtime.stop_worker(&worker, StopRequest::default(), plain());
    stopped.await.unwrap().value
}

pub(crate) async fn transcript(runtime: &Runtime, worker: &str) -> Transcript {
    let query = TranscriptQuery {
        after: None,
        limit: Some(1000),
    };
    runtime.transcript(&id(worker), &query).await.unwrap()
}

/// The contents of a transcript, in order.
pub(crate) async fn contents(runtime: &Runtime, worker: &str) -> Vec<String> {
    let transcript = transcript(runtime, worker).await;
    transcript
        .entries
        .into_iter()
        .map(|entry| entry.content)
        .collect()
}

/// Ends a run as soon as it is told to, in the background.
pub(crate) fn obeys(run: ScriptedRun) -> JoinHandle<()> {
    tokio::spawn(async move {
        run.cancelled().await;
        run.end(RunEnd::Cancelled);
    })
}

/// Makes the Worker `w`, watches it, and gives it a run that has said `so far`.
pub(crate) async fn talking(runtime: &Runtime, script: &mut Script) -> (Watcher, ScriptedRun) {
    create(runtime, "w").await;
    let watch = watch(runtime, "w", None).await;
    send(runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("so far").await;
    (watch, run)
}

/// Watches a Worker that can be watched.
pub(crate) async fn watch(runtime: &Runtime, worker: &str, cursor: Option<&str>) -> Watcher {
    Watcher::of(runtime.observe(&id(worker), cursor).await.unwrap())
}

/// Waits until the Worker has no active run.
pub(crate) async fn settled(runtime: &Runtime, worker: &str) -> Worker {
    let mut watch = self::watch(runtime, worker, None).await;
    let _ = watch.until_caught_up().await;
    loop {
        let worker = runtime.get_worker(&id(worker)).await.unwrap();
        if worker.status != WorkerStatus::Running {
            return worker;
        }
        watch.next_frame().await;
    }
}
