//! The refusals of a real Runtime.

use std::sync::Arc;

use serde_json::{Value, json};
use worker_runtime::StoreError;
use yoi_protocol::Limits;
use yoi_testkit::{Ask, Script, ScriptedExecutor, TestRuntime, TestStore};

use super::ledger::Ledger;

const WORKERS: &str = "/v1/workers";
const W1: &str = "/v1/workers/w-1";
const INPUT: &str = "/v1/workers/w-1/input";
const EVENTS: &str = "/v1/workers/w-1/events";

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    let store = TestStore::bounded(4, 1 << 20);
    let (runtime, mut script) = narrow(store.clone()).await;
    let create = json!({"worker_id": "w-1"});
    let hi = json!({"content": "hi"});
    let post = |path: &str, body: &Value| runtime.ask("POST", path).json(body);
    let get = |path: &str| runtime.ask("GET", path);

    said(&mut ledger, "worker_not_found", get(W1)).await;
    said(&mut ledger, "unauthorized", get(WORKERS).anonymous()).await;
    let page = get("/v1/runtime").header("origin", "https://elsewhere.example");
    said(&mut ledger, "forbidden_origin", page).await;
    said(&mut ledger, "route_not_found", get("/v1/nothing")).await;
    said(
        &mut ledger,
        "method_not_allowed",
        runtime.ask("PUT", WORKERS),
    )
    .await;
    let unnamed = json!({"display_name": ""});
    said(&mut ledger, "invalid_request", post(WORKERS, &unnamed)).await;
    let no_json = runtime
        .ask("POST", WORKERS)
        .body("{}")
        .header("content-type", "text/plain");
    said(&mut ledger, "unsupported_media_type", no_json).await;
    let misdirected = post(WORKERS, &create).header("yoi-runtime-id", "gpu-2");
    said(&mut ledger, "misdirected_request", misdirected).await;
    let bundle = json!({"config_bundle": {"id": "review", "digest": "sha256:0f"}});
    said(&mut ledger, "operation_unsupported", post(WORKERS, &bundle)).await;

    let _created = post(WORKERS, &create).await.expect(201);
    said(&mut ledger, "worker_already_exists", post(WORKERS, &create)).await;
    said(&mut ledger, "limit_reached", post(WORKERS, &json!({}))).await;
    said(
        &mut ledger,
        "cursor_invalid",
        get("/v1/workers/w-1/events?cursor=x"),
    )
    .await;
    said(
        &mut ledger,
        "upgrade_required",
        get("/v1/workers/w-1/events/ws"),
    )
    .await;
    let long = json!({"content": "x".repeat(33)});
    said(&mut ledger, "payload_too_large", post(INPUT, &long)).await;
    let late = post("/v1/workers/w-1/stop", &json!({})).header("yoi-deadline-ms", "0");
    said(&mut ledger, "timed_out", late).await;

    store.fail_once(StoreError::Refused("the disk is full"));
    said(
        &mut ledger,
        "store_failed",
        post("/v1/workers/w-1/stop", &json!({})),
    )
    .await;

    let keyed = |body: &Value| post(INPUT, body).header("idempotency-key", "k-1");
    let accepted = keyed(&hi).await.expect(202).json();
    said(&mut ledger, "worker_busy", post(INPUT, &hi)).await;
    said(
        &mut ledger,
        "idempotency_conflict",
        keyed(&json!({"content": "ho"})),
    )
    .await;
    let run = script.next_run().await;
    for piece in 0..8 {
        let role = yoi_protocol::Role::Tool;
        run.output()
            .entry(role, format!("entry {piece}"))
            .await
            .expect("taken");
    }
    run.complete();
    let cursor = accepted["cursor"].as_str().expect("a cursor").to_owned();
    let expired = format!("{EVENTS}?cursor={cursor}");
    yoi_testkit::eventually("the events are gone", async || {
        let answer = get("/v1/workers/w-1").await.expect(200).json();
        match answer["status"] == "idle" {
            true => Ok(()),
            false => Err(answer),
        }
    })
    .await;
    said(&mut ledger, "cursor_expired", get(&expired)).await;
    let _stopped = post("/v1/workers/w-1/stop", &json!({})).await.expect(200);
    said(&mut ledger, "worker_stopped", post(INPUT, &hi)).await;
    let _created = post(WORKERS, &json!({"worker_id": "w-2"}))
        .await
        .expect(201);
    let unknown = format!("/v1/workers/w-2/events?cursor={cursor}");
    said(&mut ledger, "cursor_unknown", get(&unknown)).await;

    store.fail(StoreError::Uncertain("the disk does not say"));
    let told = post("/v1/workers/w-2/stop", &json!({})).await.json();
    ledger.compare("problems/runtime/store_failed_uncertain", &told);
    ledger
}

async fn narrow(store: Arc<TestStore>) -> (TestRuntime, Script) {
    let (executor, script) = ScriptedExecutor::new();
    let limits = Limits {
        max_workers: 1,
        max_input_bytes: 32,
        max_worker_events: 4,
        ..Limits::default()
    };
    let runtime = TestRuntime::builder("gpu-1")
        .token("open-sesame")
        .executor(executor)
        .limits(limits)
        .store(store);
    (runtime.start().await, script)
}

async fn said(ledger: &mut Ledger, code: &str, ask: Ask) {
    let told = ask.await.json();
    assert_eq!(told["code"], code, "{told}");
    ledger.compare(&format!("problems/runtime/{code}"), &told);
}
