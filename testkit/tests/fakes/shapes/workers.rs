//! The life of some Workers on a real Runtime, and every frame of it.

use serde_json::{Value, json};
use worker_runtime::ProfileSpec;
use yoi_client::{Call, FrameStream};
use yoi_protocol::{Diagnostic, Role, Severity, StreamEnd, WorkerId};
use yoi_testkit::{Script, ScriptedExecutor, TestRuntime};

use super::ledger::{Ledger, frames};

/// A Runtime as the fixtures have it, whose Workers say what the test tells them to.
pub(super) async fn gpu_1() -> (TestRuntime, Script) {
    let (executor, script) = ScriptedExecutor::new();
    let runtime = TestRuntime::builder("gpu-1").runtime(move |runtime| {
        runtime
            .display_name("GPU box")
            .profile("echo", ProfileSpec::new(executor))
    });
    (runtime.start().await, script)
}

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    of_the_runtime(&mut ledger).await;
    let (runtime, mut script) = gpu_1().await;
    let get = async |path: &str| runtime.ask("GET", path).await.expect(200).json();
    let post = async |path: &str, status, body: &Value| {
        runtime
            .ask("POST", path)
            .json(body)
            .await
            .expect(status)
            .json()
    };
    const W1: &str = "/v1/workers/w-1";
    const INPUT: &str = "/v1/workers/w-1/input";
    const CANCEL: &str = "/v1/workers/w-1/cancel";

    ledger.compare("answers/workers_none", &get("/v1/workers").await);
    let create = ledger.taken("requests/create_worker");
    let created = post("/v1/workers", 201, &create).await;
    ledger.compare("answers/worker_created", &created);
    ledger.compare("answers/workers", &get("/v1/workers").await);
    let second = of(&create, "w-2");
    post("/v1/workers", 201, &second).await;
    ledger.compare("answers/workers_page", &get("/v1/workers?limit=1").await);
    // It is caught up before the first input, so that it sees all that follows.
    let mut first = Observer::of(&runtime, "w-1").await;
    ledger.compare("frames/snapshot_of_a_new_worker", &first.next().await);
    ledger.compare("frames/caught_up", &first.next().await);

    let input = ledger.taken("requests/input");
    ledger.compare("answers/input_accepted", &post(INPUT, 202, &input).await);
    ledger.compare("answers/worker_running", &get(W1).await);
    let run = script.next_run().await;
    let out = run.output();
    out.thinking("Let me see.").await.expect("taken");
    out.tool_call_started("call-1", "read")
        .await
        .expect("taken");
    out.tool_arguments("call-1", "{\"file\":")
        .await
        .expect("taken");
    out.text("It ").await.expect("taken");
    first.until_delta("text").await;
    let mut second = watch(&runtime, "w-1").await;
    next(&mut second).await;
    ledger.compare("frames/caught_up_in_flight", &next(&mut second).await);
    out.tool_call_finished("call-1", "{\"file\":\"main.rs\"}")
        .await
        .expect("taken");
    out.tool_result("call-1", true, "fn main() {}")
        .await
        .expect("taken");
    out.usage(Some(120), Some(7)).await.expect("taken");
    out.diagnostic(stderr()).await.expect("taken");
    out.text("is.").await.expect("taken");
    run.complete();
    first.until_event("run_finished").await;
    first.until_event("status_changed").await;
    ledger.compare("answers/worker", &get(W1).await);
    let mut third = watch(&runtime, "w-1").await;
    ledger.compare("frames/snapshot", &next(&mut third).await);
    ledger.compare(
        "answers/transcript",
        &get("/v1/workers/w-1/transcript").await,
    );
    ledger.compare(
        "answers/transcript_page",
        &get("/v1/workers/w-1/transcript?limit=1").await,
    );
    ledger.compare(
        "answers/transcript_empty",
        &get("/v1/workers/w-1/transcript?after=9").await,
    );
    let nothing = ledger.taken("requests/cancel");
    ledger.compare(
        "answers/cancelled_nothing",
        &post(CANCEL, 200, &nothing).await,
    );

    let input = ledger.taken("requests/input_of_kind");
    post(INPUT, 202, &input).await;
    script
        .next_run()
        .await
        .fail("exit_status", "the program ended with status 1");
    first.until_event("status_changed").await;
    first.until_event("status_changed").await;
    ledger.compare("answers/worker_failed", &get(W1).await);
    let accepted = post(INPUT, 202, &input).await;
    let mut cancel = ledger.taken("requests/cancel_run");
    cancel["run_id"] = accepted["run_id"].clone();
    let run = script.next_run().await;
    ledger.compare("answers/cancelled", &post(CANCEL, 200, &cancel).await);
    drop(run);
    let stop = ledger.taken("requests/stop");
    post("/v1/workers/w-1/stop", 200, &stop).await;

    first.compare_all(&mut ledger, &runtime).await;
    of_another_worker(&mut ledger, &runtime, &mut script).await;
    ledger
}

async fn of_the_runtime(ledger: &mut Ledger) {
    let runtime = TestRuntime::builder("gpu-1").runtime(|runtime| runtime.display_name("GPU box"));
    let runtime = runtime.start().await;
    let said = runtime.ask("GET", "/v1/runtime").await.expect(200).json();
    ledger.compare("answers/runtime", &said);
    let create = ledger.taken("requests/create_worker_default");
    let created = runtime
        .ask("POST", "/v1/workers")
        .json(&create)
        .await
        .expect(201)
        .json();
    ledger.compare("answers/worker_created_by_default", &created);
}

/// One whose run has entries of all who can say something, and that is stopped for a reason.
async fn of_another_worker(ledger: &mut Ledger, runtime: &TestRuntime, script: &mut Script) {
    let mut observer = Observer::of(runtime, "w-2").await;
    observer.until_caught_up().await;
    let input = json!({"content": "Is this change safe?"});
    let asked = runtime.ask("POST", "/v1/workers/w-2/input").json(&input);
    asked.await.expect(202);
    let run = script.next_run().await;
    let said = run.output();
    said.entry(Role::System, "Answer in a word.")
        .await
        .expect("taken");
    said.entry(Role::Tool, "2 files changed")
        .await
        .expect("taken");
    said.text("Yes.").await.expect("taken");
    run.complete();
    observer.until_event("run_finished").await;
    let transcript = runtime
        .ask("GET", "/v1/workers/w-2/transcript")
        .await
        .expect(200);
    ledger.compare("answers/transcript_of_every_role", &transcript.json());
    let stop = ledger.taken("requests/stop_with_reason");
    let stopped = runtime.ask("POST", "/v1/workers/w-2/stop").json(&stop);
    ledger.compare("answers/stopped", &stopped.await.expect(200).json());
    let stopped = runtime.ask("GET", "/v1/workers/w-2").await.expect(200);
    ledger.compare("answers/worker_stopped", &stopped.json());
    observer.compare_all(ledger, runtime).await;
}

/// Who watches a Worker to its end, and keeps what it is told.
struct Observer {
    worker: String,
    stream: FrameStream,
    told: Vec<Value>,
}

impl Observer {
    async fn of(runtime: &TestRuntime, id: &str) -> Self {
        Self {
            worker: id.to_owned(),
            stream: watch(runtime, id).await,
            told: Vec::new(),
        }
    }

    async fn next(&mut self) -> Value {
        let frame = next(&mut self.stream).await;
        self.told.push(frame.clone());
        frame
    }

    async fn until_caught_up(&mut self) {
        while self.next().await["control"]["type"] != "caught_up" {}
    }

    async fn until_event(&mut self, name: &str) {
        while self.next().await["event"]["type"] != name {}
    }

    async fn until_delta(&mut self, name: &str) {
        while self.next().await["delta"]["type"] != name {}
    }

    /// Compares all that it was told by the end, and each event once more as server-sent events
    /// have it.
    async fn compare_all(mut self, ledger: &mut Ledger, runtime: &TestRuntime) {
        let end = loop {
            match self.stream.next().await {
                Ok(frame) => self
                    .told
                    .push(serde_json::from_str(&frame.to_text()).expect("JSON")),
                Err(end) => break end,
            }
        };
        assert_eq!(end, StreamEnd::Complete);
        let begin = self.told[0]["cursor"].as_str().expect("a cursor");
        let path = format!("/v1/workers/{}/events?cursor={begin}", self.worker);
        let again = runtime.ask("GET", &path).await.expect(200);
        let again = frames(again.text());
        assert!(!again.is_empty(), "nothing came after {begin}");
        for frame in self.told.iter().chain(&again) {
            compare(ledger, frame);
        }
    }
}

/// Holds a frame against the fixture of its type, where it is in the situation that is depicted.
fn compare(ledger: &mut Ledger, frame: &Value) {
    let of = |payload: &str| frame[payload]["type"].as_str().map(str::to_owned);
    let event = &frame["event"];
    let name = match (of("event"), of("delta")) {
        (Some(name), _) => match name.as_str() {
            "snapshot" => return,
            "status_changed" if event["status"] != "running" => return,
            "entry_appended" if event["entry"]["role"] != "assistant" => return,
            "run_finished" => match event["outcome"].as_str().expect("an outcome") {
                "completed" => "run_finished".to_owned(),
                outcome => format!("run_{outcome}"),
            },
            "worker_stopped" if event.get("reason").is_some() => {
                "worker_stopped_with_reason".to_owned()
            }
            "diagnostic" => "diagnostic_event".to_owned(),
            _ => name,
        },
        (None, Some(name)) => name,
        (None, None) => return,
    };
    ledger.compare(&format!("frames/{name}"), frame);
}

fn stderr() -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "stderr".to_owned(),
        message: "main.rs: unused import".to_owned(),
    }
}

pub(super) fn of(create: &Value, id: &str) -> Value {
    let mut create = create.clone();
    create["worker_id"] = id.into();
    create
}

async fn watch(runtime: &TestRuntime, id: &str) -> FrameStream {
    let id = WorkerId::parse(id).expect("an id");
    let stream = runtime.workers().events(&id, None, &Call::default()).await;
    stream.expect("it is there")
}

pub(super) async fn next(stream: &mut FrameStream) -> Value {
    let frame = stream.next().await.expect("a frame");
    serde_json::from_str(&frame.to_text()).expect("JSON")
}
