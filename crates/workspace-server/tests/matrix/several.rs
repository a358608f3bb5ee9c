//! One operation, several attempts, and another fault at each.

use std::time::Duration;

use serde_json::{Value, json};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::{Code, Effect, Operation, TranscriptQuery, WorkerId};
use yoi_testkit::{Fault, FaultProxy, Injection, Reply, TestBackend, TestRuntime};

const SEND: Operation = Operation::SendInput;

/// A Backend that tries three times, over a link that goes wrong as the test says.
struct Rig {
    runtime: TestRuntime,
    link: FaultProxy,
    backend: TestBackend,
}

impl Rig {
    async fn start() -> Self {
        let runtime = TestRuntime::builder("gpu-1").start().await;
        let link = FaultProxy::to(&runtime).await;
        let backend = TestBackend::builder()
            .remote(&link)
            .timeouts(Timeouts {
                connect: Duration::from_secs(600),
                response: Duration::from_secs(600),
                request: Duration::from_secs(600),
            })
            .retry(RetryPolicy {
                max_attempts: 3,
                base: Duration::from_millis(1),
                max: Duration::from_millis(2),
                ..RetryPolicy::default()
            })
            .start()
            .await;
        backend.until_seen().await;
        let rig = Self {
            runtime,
            link,
            backend,
        };
        let body = json!({"worker_id": "w-1"});
        let created = rig
            .backend
            .browser()
            .ask("POST", "/api/runtimes/gpu-1/workers");
        created.json(&body).await.expect(201);
        rig
    }

    async fn send(&self, headers: &[(&str, &str)]) -> Reply {
        let browser = self.backend.browser();
        let mut ask = browser.ask("POST", "/api/runtimes/gpu-1/workers/w-1/input");
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        ask.json(&json!({"content": "hi"})).await
    }

    /// What is answered while these happen, one after another.
    async fn told(&self, faults: &[Injection]) -> Value {
        let held: Vec<_> = faults
            .iter()
            .map(|fault| self.link.inject(*fault))
            .collect();
        let reply = self.send(&[]).await;
        drop(held);
        let body = reply.json();
        let tried = self.link.exchanges();
        let tried = tried
            .iter()
            .filter(|exchange| exchange.operation == Some(SEND));
        json!([reply.status, body["code"], body["effect"], tried.count()])
    }

    /// How often the input was taken in truth.
    async fn taken(&self) -> usize {
        let runtime = self.runtime.runtime().expect("it runs");
        let worker = WorkerId::parse("w-1").expect("an id");
        let read = runtime
            .transcript(&worker, &TranscriptQuery::default())
            .await;
        let entries = read.expect("it reads").entries;
        entries
            .iter()
            .filter(|entry| entry.content == "hi")
            .count()
            .div_ceil(2)
    }
}

#[tokio::test]
async fn an_effect_that_was_unknown_once_stays_unknown() {
    let rig = Rig::start().await;
    let first = Fault::ClosedBeforeHead.on(SEND).first(1);
    // Who refuses now has done nothing now.
    let then = Fault::Coded(Code::WorkerBusy).on(SEND);
    let told = rig.told(&[first, then]).await;
    assert_eq!(told, json!([409, "worker_busy", "unknown", 2]));
    assert_eq!(rig.taken().await, 1, "the first attempt was taken");
}

#[tokio::test]
async fn nor_does_it_help_that_nobody_is_there_any_more() {
    let rig = Rig::start().await;
    let first = Fault::ClosedBeforeHead.on(SEND).first(1);
    let then = Fault::ConnectionRefused.on(SEND);
    let told = rig.told(&[first, then]).await;
    assert_eq!(told, json!([502, "runtime_unreachable", "unknown", 3]));
    assert_eq!(rig.taken().await, 1, "the first attempt was taken");
}

#[tokio::test]
async fn an_effect_is_none_when_that_of_each_attempt_is() {
    let rig = Rig::start().await;
    let first = Fault::ConnectionRefused.on(SEND).first(1);
    let then = Fault::Coded(Code::WorkerBusy).on(SEND);
    let told = rig.told(&[first, then]).await;
    assert_eq!(told, json!([409, "worker_busy", "none", 2]));
    assert_eq!(rig.taken().await, 0);
}

#[tokio::test]
async fn a_success_settles_what_was_unknown_and_nothing_is_done_twice() {
    let rig = Rig::start().await;
    let told = rig.told(&[Fault::ClosedInBody.on(SEND).first(2)]).await;
    assert_eq!(told, json!([202, null, null, 3]));
    assert_eq!(rig.taken().await, 1);
}

#[tokio::test]
async fn attempts_end_where_the_policy_says() {
    let rig = Rig::start().await;
    let told = rig.told(&[Fault::ClosedInBody.on(SEND).first(3)]).await;
    assert_eq!(told, json!([502, "runtime_unreachable", "unknown", 3]));
    assert_eq!(rig.taken().await, 1);
}

#[tokio::test]
async fn nobody_waits_longer_than_the_caller() {
    let rig = Rig::start().await;
    let silent = rig.link.inject(Fault::NoHead.on(SEND));
    // Nobody would have an answer for minutes: that there is one shows whose time has passed.
    let reply = rig.send(&[("yoi-deadline-ms", "5000")]).await;
    silent.undo();
    let told = reply.problem();
    let told = (told.code.as_str(), told.effect);
    let unknown = Some(Effect::Unknown);
    assert_eq!(told, ("runtime_timed_out", unknown), "{reply:?}");
}
