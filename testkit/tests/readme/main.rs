//! The code that README shows runs: each of its examples stands here, line by line.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod first;
mod shown;

use std::time::Duration;

use proptest::prelude::*;
use worker_runtime::{CommandContext, Runtime, StoreError};
use yoi_client::Call;
use yoi_protocol::{
    Code, CreateWorker, Effect, Event, InputRequest, Operation, Origin, RuntimeId, StreamEnd,
    WorkerId,
};
use yoi_testkit::contract::{Target, check, store};
use yoi_testkit::matrix::{Pace, Place, Plan, run};
use yoi_testkit::{
    Canaries, FakeRuntime, Fault, FaultProxy, Fuzz, ManualClock, RawPeer, RuntimeFaults,
    ScriptedExecutor, SequentialIds, Step, TestBackend, TestRuntime, TestStore, eventually,
    fixtures, strategies,
};

#[tokio::test]
async fn places() {
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let backend = TestBackend::builder()
        .embedded("local")
        .remote(&runtime)
        .start()
        .await;

    let (workers, call) = (backend.workers("gpu-1"), Call::default());
    let worker = workers
        .create(&CreateWorker::default(), &call)
        .await
        .unwrap()
        .value;

    runtime.kill().await; // as SIGKILL does; stop() is as SIGTERM
    runtime.restart().await; // the same address, the same store, another start
    assert_eq!(
        workers.get(&worker.worker_id, &call).await.unwrap().value,
        worker
    );
}

#[tokio::test]
async fn browser() {
    let backend = TestBackend::builder().embedded("local").start().await;
    let browser = backend.browser();

    let path = "/api/runtimes/local/workers";
    let created = browser
        .ask("POST", path)
        .json(&CreateWorker::default())
        .await
        .expect(201);
    let worker: yoi_protocol::Worker = created.read();

    let mut watcher = browser.watch("local", worker.worker_id.as_str()).await;
    watcher.until_caught_up().await;
    let input = format!("{path}/{}/input", worker.worker_id);
    browser
        .ask("POST", &input)
        .json(&InputRequest::new("hi"))
        .await
        .expect(202);
    watcher.until_event("run_finished").await;

    let asked = browser.ask("GET", path).begin();
    asked.reply().await.expect(200); // or hang_up(), in the middle of it
}

#[tokio::test]
async fn scripted() {
    let (executor, mut script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1")
        .executor(executor)
        .start()
        .await;
    let (workers, call) = (runtime.workers(), Call::default());
    let worker = workers
        .create(&CreateWorker::default(), &call)
        .await
        .unwrap()
        .value
        .worker_id;
    workers
        .input(&worker, &InputRequest::new("hi"), &call)
        .await
        .unwrap();

    let run = script.next_run().await;
    assert_eq!(run.input(), "hi");
    run.say("hel").await;
    run.say("lo").await;
    run.complete(); // or fail(), or wait until it is cancelled()
}

#[tokio::test]
async fn fakes() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let lost = fake
        .get_worker("w-1")
        .refuses(Code::WorkerNotFound)
        .first(1)
        .mount()
        .await;
    let found = fake.get_worker("w-1").times(1).mount().await; // answers the fixture

    let browser = backend.browser();
    browser
        .ask("GET", "/api/runtimes/gpu-1/workers/w-1")
        .await
        .expect(404);
    browser
        .ask("GET", "/api/runtimes/gpu-1/workers/w-1")
        .await
        .expect(200);
    lost.verify();
    found.verify();

    let mut observers = fake.events();
    let mut watcher = browser.watch("gpu-1", "w-1").await;
    let mut observer = observers.accept().await;
    observer.begin().await;
    observer
        .event(2, Event::WorkerStopped { reason: None })
        .await;
    observer.end(&StreamEnd::Complete).await;
    assert_eq!(watcher.end().await, StreamEnd::Complete);
}

#[tokio::test]
async fn link() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder().remote(&link).start().await;
    let (workers, call) = (backend.workers("gpu-1"), Call::default());

    let fault = link.inject(Fault::ClosedInBody.on(Operation::CreateWorker));
    let error = workers
        .create(&CreateWorker::default(), &call)
        .await
        .unwrap_err();
    assert_eq!(error.failure.effect, Effect::Unknown);
    fault.undo();
    assert!(link.exchanges().iter().all(|exchange| exchange.forwarded));
}

#[tokio::test]
async fn inside() {
    let insides = RuntimeFaults::new();
    let runtime = insides.runtime("gpu-1").start().await;
    let harm = insides.inject(Fault::StoreRefuses, &runtime).await;
    let created = runtime
        .workers()
        .create(&CreateWorker::default(), &Call::default())
        .await;
    assert_eq!(created.unwrap_err().failure.code, Code::StoreFailed);
    harm.undo().await;
}

#[tokio::test]
async fn raw() {
    let peer = RawPeer::start(
        "gpu-1",
        [
            Step::Hear,
            Step::say("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"),
            Step::Close,
        ],
    )
    .await;
    let backend = TestBackend::builder().fake(&peer).start().await;
    let w1 = WorkerId::parse("w-1").unwrap();
    let asked = backend.workers("gpu-1").get(&w1, &Call::default()).await;
    assert_eq!(asked.unwrap_err().failure.code, Code::RuntimeProtocolError);
    let heard = peer.requests(); // beside it, what a Backend asks of itself
    assert!(
        heard
            .iter()
            .any(|request| request.starts_with("GET /v1/workers/w-1 HTTP/1.1\r\n"))
    );
}

#[tokio::test]
async fn library() {
    let (store, clock) = (TestStore::new(), ManualClock::new());
    let runtime = Runtime::builder(RuntimeId::parse("local").unwrap())
        .store(store.clone())
        .clock(clock.clone())
        .ids(SequentialIds::new())
        .start()
        .await
        .unwrap();

    store.fail_once(StoreError::Refused("the disk is full"));
    let create = || runtime.create_worker(CreateWorker::default(), CommandContext::default());
    assert!(create().await.is_err());
    clock.advance(Duration::from_secs(60));
    assert!(create().await.is_ok());
    assert_eq!(store.records().len(), 1);
}

#[tokio::test]
async fn contract() {
    store::check_durable(async || TestStore::new(), async |store| store.reopened()).await;

    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let target = Target::new(runtime.url())
        .token("open-sesame")
        .profile("echo");
    let report = check(&target).await.unwrap();
    assert_eq!(report.failed().count(), 0);
}

#[test]
fn wire() {
    let busy = fixtures::problems::by(Origin::Runtime, Code::WorkerBusy).unwrap();
    assert_eq!(busy.effect, Some(Effect::None));
    let text = fixtures::get("frames/run_failed").text();
    assert!(text.contains("\"failed\""));
}

#[test]
fn values() {
    proptest!(|(worker in strategies::worker())| {
        let text = serde_json::to_string(&worker).unwrap();
        prop_assert_eq!(serde_json::from_str::<yoi_protocol::Worker>(&text).unwrap(), worker);
    });
}

#[tokio::test]
async fn secrets() {
    let mut canaries = Canaries::new();
    let token = canaries.plant("the runtime's token");
    let runtime = TestRuntime::builder("gpu-1").token(token).start().await;
    canaries.watch("the runtime's address", &runtime.address().to_string());
    let backend = TestBackend::builder().remote(&runtime).start().await;

    let reply = backend.browser().ask("GET", "/api/runtimes/gpu-1").await;
    canaries.check(
        "the runtime, as a browser sees it",
        reply.expect(200).text(),
    );
}

#[tokio::test]
async fn waiting() {
    let runtime = TestRuntime::start().await;
    eventually("the runtime is ready", async || {
        match runtime.ask("GET", "/readyz").await {
            ready if ready.status == 200 => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

#[tokio::test]
async fn case_after_case() {
    Fuzz::cases(100)
        .run(async |seed| match seed.to_string().parse() {
            Ok(read) if u64::eq(&read, &seed) => Ok(()),
            other => Err(format!("{seed} became {other:?}")),
        })
        .await;
}

#[tokio::test]
async fn everything() {
    let plan = Plan::all()
        .only(Place::Remote)
        .only_fault(Fault::ConnectionRefused);
    for cell in run(&plan, &Pace::default()).await {
        assert!(cell.wrong.is_empty(), "{cell}: {:?}", cell.wrong);
    }
}
