//! The life of some Workers on a real Runtime, and every frame of it.

use serde_json::{Value, json};
use worker_runtime::ProfileSpec;
use yoi_client::{Call, FrameStream};
use yoi_protocol::{Diagnostic, Role, Severity, WorkerId};
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
    let told = runtime.ask("GET", "/v1/workers/w-1/events").begin();
    // The Runtime has the observer before the first input, so that it sees all that follows.
    let mut first = watch(&runtime, "w-1").await;
    ledger.compare("frames/snapshot_of_a_new_worker", &next(&mut first).await);
    ledger.compare("frames/caught_up", &next(&mut first).await);

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
    until_delta(&mut first, "text").await;
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
    until_event(&mut first, "run_finished").await;
    until_event(&mut first, "status_changed").await;
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
    until_event(&mut first, "status_changed").await;
    until_event(&mut first, "status_changed").await;
    ledger.compare("answers/worker_failed", &get(W1).await);
    let accepted = post(INPUT, 202, &input).await;
    let mut cancel = ledger.taken("requests/cancel_run");
    cancel["run_id"] = accepted["run_id"].clone();
    let run = script.next_run().await;
    ledger.compare("answers/cancelled", &post(CANCEL, 200, &cancel).await);
    drop(run);
    let stop = ledger.taken("requests/stop");
    post("/v1/workers/w-1/stop", 200, &stop).await;

    for frame in frames(told.reply().await.expect(200).text()) {
        compare(&mut ledger, &frame);
    }
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
    let told = runtime.ask("GET", "/v1/workers/w-2/events").begin();
    let input = json!({"content": "Is this change safe?"});
    let mut watcher = watch(runtime, "w-2").await;
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
    until_event(&mut watcher, "run_finished").await;
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
    for frame in frames(told.reply().await.expect(200).text()) {
        compare(ledger, &frame);
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

async fn until_event(stream: &mut FrameStream, name: &str) {
    while next(stream).await["event"]["type"] != name {}
}

async fn until_delta(stream: &mut FrameStream, name: &str) {
    while next(stream).await["delta"]["type"] != name {}
}
