//! `Browser`: asks, watches, resumes and hangs up.

use serde_json::json;
use worker_runtime::ProfileSpec;
use yoi_client::Call;
use yoi_protocol::{
    Code, CreateWorker, Event, InputRequest, StopRequest, StreamEnd, Worker, WorkerId, WorkerStatus,
};
use yoi_testkit::{
    Browser, Script, ScriptedExecutor, TestBackend, TestRuntime, TestStore, eventually,
};

/// A Backend over a Runtime called `gpu-1` that has a Worker called `w-1`.
async fn house() -> (TestBackend, TestRuntime, Script) {
    let (executor, script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1").executor(executor);
    let runtime = runtime.start().await;
    let create = CreateWorker {
        worker_id: Some(worker()),
        ..CreateWorker::default()
    };
    let created = runtime.workers().create(&create, &Call::default()).await;
    created.unwrap();
    let backend = TestBackend::builder().remote(&runtime);
    let backend = backend.token("alice", "alices-token").start().await;
    (backend, runtime, script)
}

fn worker() -> WorkerId {
    WorkerId::parse("w-1").unwrap()
}

async fn send(browser: &Browser, text: &str) {
    let workers = browser.workers("gpu-1");
    let (input, call) = (InputRequest::new(text), Call::default());
    workers.input(&worker(), &input, &call).await.unwrap();
}

#[tokio::test]
async fn it_asks_with_its_token_and_without() {
    let (backend, runtime, _script) = house().await;
    let browser = backend.browser();
    let path = "/api/runtimes/gpu-1/workers/w-1";
    let reply = browser.ask("GET", path).await.expect(200);
    assert_eq!(reply.read::<Worker>().worker_id, worker());
    assert_eq!(reply.json()["status"], "idle");
    assert!(reply.text().starts_with('{') && reply.header("x-request-id").is_some());

    let stranger = browser.ask("GET", path).anonymous().await.expect(401);
    assert_eq!(stranger.problem().code, Code::Unauthorized);
    let other = browser.ask("GET", path).header("host", "evil.example");
    assert_eq!(other.await.problem().code, Code::ForbiddenOrigin);
    let typed = browser.ask("POST", path).body("{}");
    assert_eq!(typed.await.expect(405).header("allow"), Some("GET,HEAD"));
    let input = browser.ask("POST", &format!("{path}/input"));
    input.json(&json!({"content": "hi"})).await.expect(202);

    let direct = runtime.ask("GET", "/v1/workers/w-1").await.expect(200);
    assert_eq!(direct.header("yoi-runtime-id"), Some("gpu-1"));
}

#[tokio::test]
#[should_panic(expected = "runtime_not_found")]
async fn another_answer_than_expected_is_shown_whole() {
    let (backend, _runtime, _script) = house().await;
    let browser = backend.browser();
    let _ = browser.ask("GET", "/api/runtimes/gpu-2").await.expect(200);
}

#[tokio::test]
#[should_panic(expected = "GET /readyz was not answered: the connection is refused")]
async fn nothing_is_no_answer() {
    let (_backend, runtime, _script) = house().await;
    runtime.kill().await;
    let _ = runtime.ask("GET", "/readyz").await;
}

#[tokio::test]
async fn it_watches_and_comes_back_to_where_it_was() {
    let (backend, _runtime, mut script) = house().await;
    let browser = backend.browser();
    let mut watcher = browser.watch("gpu-1", "w-1").await;
    assert_eq!(watcher.until_caught_up().await, None);
    send(&browser, "one").await;
    let run = script.next_run().await;
    run.say("he").await;
    run.say("llo").await;
    while watcher.text_since_entry() != "hello" {
        watcher.next_frame().await;
    }

    // Who comes now is told what was said so far.
    let mut late = browser.watch("gpu-1", "w-1").await;
    late.until_caught_up().await;
    assert_eq!(late.text_since_entry(), "hello");
    late.hang_up();

    let cursor = watcher.cursor().unwrap().clone();
    let seen = watcher.events().len();
    watcher.hang_up();
    run.complete();
    let (workers, call) = (browser.workers("gpu-1"), Call::default());
    eventually("the first run is over", async || {
        let worker = workers.get(&worker(), &call).await.unwrap().value;
        match worker.active_run {
            None => Ok(()),
            Some(run) => Err(run),
        }
    })
    .await;
    send(&browser, "two").await;
    script.next_run().await.complete();

    let mut again = browser.resume("gpu-1", "w-1", &cursor).await;
    again.until_event("run_finished").await;
    let second = again
        .until("the second end", |frame| {
            matches!(frame, yoi_protocol::Frame::Event(event)
                if matches!(event.event, Event::RunFinished { .. }))
        })
        .await;
    assert!(again.seen().contains(&second));
    assert!(!again.types().contains(&"snapshot"));
    let seqs: Vec<u64> = again.events().iter().map(|event| event.seq).collect();
    assert_eq!(seqs[0], seen as u64 + 1);

    let stop = StopRequest::default();
    workers.stop(&worker(), &stop, &call).await.unwrap();
    assert_eq!(again.end().await, StreamEnd::Complete);
    assert_eq!(again.types().last(), Some(&"worker_stopped"));
    assert_eq!(again.next().await, Err(StreamEnd::Complete));
}

#[tokio::test]
#[should_panic(expected = "run_finished was waited for; the stream ended with Complete")]
async fn what_does_not_come_is_missed() {
    let (backend, _runtime, _script) = house().await;
    let browser = backend.browser();
    let mut watcher = browser.watch("gpu-1", "w-1").await;
    let stop = StopRequest::default();
    let workers = browser.workers("gpu-1");
    workers
        .stop(&worker(), &stop, &Call::default())
        .await
        .unwrap();
    watcher.until_event("run_finished").await;
}

#[tokio::test]
async fn it_hangs_up_on_a_command_that_is_done_all_the_same() {
    let (executor, mut script) = ScriptedExecutor::new();
    let store = TestStore::new();
    let inside = store.clone();
    let backend = TestBackend::builder()
        .embedded_with("local", move |runtime| {
            runtime
                .store(inside)
                .profile("scripted", ProfileSpec::new(executor))
                .default_profile("scripted")
        })
        .start()
        .await;
    let browser = backend.browser();
    let workers = "/api/runtimes/local/workers";
    let create = browser.ask("POST", workers);
    create.json(&json!({"worker_id": "w-1"})).await.expect(201);

    store.hold();
    let input = browser.ask("POST", &format!("{workers}/w-1/input"));
    let begun = input.json(&json!({"content": "hi"})).begin();
    store.until_held().await;
    begun.hang_up().await;
    store.release();
    assert_eq!(script.next_run().await.input(), "hi");

    // One that is let go on is answered.
    store.hold();
    let stop = browser.ask("POST", &format!("{workers}/w-1/stop")).begin();
    store.until_held().await;
    store.release();
    let stopped = stop.reply().await.expect(200);
    assert_eq!(stopped.json()["worker"]["status"], "stopped");
    let client = browser.workers("local");
    eventually("it is stopped for everyone", async || {
        let worker = client.get(&worker(), &Call::default()).await.unwrap();
        match worker.value.status {
            WorkerStatus::Stopped => Ok(()),
            status => Err(status),
        }
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "was over before it was hung up on")]
async fn nobody_hangs_up_on_what_is_over() {
    let (backend, _runtime, _script) = house().await;
    let begun = backend.browser().ask("GET", "/healthz").begin();
    eventually("it is over", async || match begun.is_over() {
        true => Ok(()),
        false => Err("under way"),
    })
    .await;
    begun.hang_up().await;
}

#[tokio::test]
async fn a_runtime_is_watched_without_a_backend_as_well() {
    let (_backend, runtime, mut script) = house().await;
    let mut watcher = runtime.watch("w-1", None).await;
    watcher.until_caught_up().await;
    let input = InputRequest::new("hi");
    let sent = runtime.workers();
    let sent = sent.input(&worker(), &input, &Call::default()).await;
    let cursor = sent.unwrap().value.cursor;
    script.next_run().await.complete();
    watcher.until_event("run_finished").await;
    let mut again = runtime.watch("w-1", Some(&cursor)).await;
    assert!(matches!(
        again.next_event().await.event,
        Event::RunStarted { .. }
    ));
}
