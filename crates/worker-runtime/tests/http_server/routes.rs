//! Every route, and that router, table and document agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use worker_runtime::http::table;
use yoi_protocol::{Code, RuntimeInfo, Transcript, Worker, WorkerPage};

use crate::support::{Served, WAIT};

#[tokio::test]
async fn the_runtime_says_what_it_is() {
    let served = Served::start().await;
    let answer = served.get("/v1/runtime").await;
    let info: RuntimeInfo = answer.json(200);
    assert_eq!(info.runtime_id.as_str(), "rt-test");
    assert_eq!(info.boot_id.as_str(), answer.header("yoi-boot-id"));
    assert_eq!(info.display_name.as_deref(), Some("Test"));
    assert_eq!(
        (info.api_version.as_str(), info.store.as_str()),
        ("v1", "memory")
    );

    let mut listed: Vec<&str> = info.capabilities.iter().map(|one| one.as_str()).collect();
    listed.sort_unstable();
    let mut expected = vec![
        "events",
        "events.sse",
        "idempotency",
        "workers.cancel",
        "workers.create",
        "workers.get",
        "workers.input",
        "workers.list",
        "workers.stop",
        "workers.transcript",
    ];
    if cfg!(feature = "ws-server") {
        expected.insert(2, "events.ws");
    }
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn a_worker_from_its_creation_to_its_end() {
    let served = Served::start().await;
    let body = r#"{"worker_id":"w-1","display_name":"One","labels":{"a":"b"},
        "intent":{"kind":"task","more":{"x":1}}}"#;
    let created = served.post("/v1/workers", body).await;
    assert_eq!(created.header("location"), "/v1/workers/w-1");
    assert_eq!(created.header("idempotency-replayed"), "");
    let worker: Worker = created.json(201);
    assert_eq!(worker.display_ref, "One@Test");
    assert_eq!(worker.intent.unwrap().more["more"]["x"], 1);

    let page: WorkerPage = served
        .get("/v1/workers?status=idle&limit=1")
        .await
        .json(200);
    assert_eq!(page.workers.len(), 1);
    assert_eq!(page.next_page, None);

    let accepted = served
        .post("/v1/workers/w-1/input", r#"{"content":"hello"}"#)
        .await
        .value(202);
    assert_eq!(accepted["worker_id"], "w-1");
    assert_eq!(accepted["runtime_id"], "rt-test");
    assert_eq!(accepted["sequence"], 1);
    until_idle(&served, "w-1").await;

    let transcript: Transcript = served
        .get("/v1/workers/w-1/transcript?after=0&limit=10")
        .await
        .json(200);
    let said: Vec<&str> = transcript
        .entries
        .iter()
        .map(|entry| entry.content.as_str())
        .collect();
    assert_eq!(said, ["hello", "hello"]);

    let cancelled = served
        .ask("POST", "/v1/workers/w-1/cancel", &[], None)
        .await
        .value(200);
    assert_eq!(cancelled.get("cancelled_run_id"), None);
    let stopped = served
        .post("/v1/workers/w-1/stop", r#"{"reason":"done"}"#)
        .await
        .value(200);
    assert_eq!(stopped["worker"]["status"], "stopped");
    let again = served
        .ask("POST", "/v1/workers/w-1/stop", &[], None)
        .await
        .value(200);
    assert_eq!(again["worker"]["status"], "stopped");
}

async fn until_idle(served: &Served, id: &str) {
    let deadline = tokio::time::Instant::now() + WAIT;
    loop {
        let worker = served.get(&format!("/v1/workers/{id}")).await.value(200);
        if worker["status"] == "idle" {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "still {worker}");
    }
}

#[tokio::test]
async fn pages_lead_through_all_workers() {
    let served = Served::start().await;
    for id in ["w-3", "w-1", "w-2"] {
        served.worker(id, "echo").await;
    }
    let mut path = "/v1/workers?limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page: WorkerPage = served.get(&path).await.json(200);
        seen.extend(page.workers.iter().map(|one| one.worker_id.to_string()));
        let Some(next) = page.next_page else { break };
        path = format!("/v1/workers?limit=1&page={next}");
    }
    assert_eq!(seen, ["w-1", "w-2", "w-3"]);
}

#[tokio::test]
async fn health_and_metrics() {
    let served = Served::with(|setup| {
        setup.settings.metrics = std::sync::Arc::new(|| "yoi_up 1\n".to_owned());
    })
    .await;
    assert_eq!(served.get("/healthz").await.status.as_u16(), 200);
    assert_eq!(served.get("/readyz").await.status.as_u16(), 200);
    let metrics = served.get("/metrics").await;
    assert_eq!(metrics.body, "yoi_up 1\n");
    assert!(metrics.header("content-type").starts_with("text/plain"));
}

/// The table as path → methods.
fn described() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (method, path) in table().entries() {
        let fresh = all.entry(path).or_default().insert(method.to_string());
        assert!(fresh, "{method} {path} stands twice");
    }
    all
}

#[tokio::test]
async fn the_router_has_exactly_the_methods_of_the_table() {
    let served = Served::start().await;
    for (path, methods) in described() {
        // No route takes this one, so the router tells which it would have taken.
        let answer = served
            .ask("DELETE", &path.replace("{worker_id}", "w-1"), &[], None)
            .await;
        answer.problem(Code::MethodNotAllowed);
        let mut allowed: BTreeSet<String> = answer
            .header("allow")
            .split(',')
            .map(|one| one.trim().to_owned())
            .collect();
        assert_eq!(allowed.remove("HEAD"), methods.contains("GET"), "{path}");
        assert_eq!(allowed, methods, "{path}");
    }
}

#[test]
fn the_table_has_every_path_of_the_contract() {
    use yoi_protocol::path::{HEALTHZ, METRICS, READYZ, runtime};
    let expected = BTreeSet::from([
        runtime::RUNTIME,
        runtime::WORKERS,
        runtime::WORKER,
        runtime::INPUT,
        runtime::CANCEL,
        runtime::STOP,
        runtime::TRANSCRIPT,
        runtime::EVENTS_WS,
        runtime::EVENTS,
        runtime::OPENAPI,
        HEALTHZ,
        READYZ,
        METRICS,
    ]);
    let found: BTreeSet<&str> = described().into_keys().collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_document_describes_the_table_and_refers_to_nothing_that_is_missing() {
    let document = Served::start()
        .await
        .get("/v1/openapi.json")
        .await
        .value(200);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let found: BTreeMap<&str, BTreeSet<String>> = paths
        .iter()
        .map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            (
                path.as_str(),
                methods.map(|one| one.to_uppercase()).collect(),
            )
        })
        .collect();
    assert_eq!(found, described());
    assert_refers(&document, &document);
}

#[test]
fn every_operation_takes_a_deadline_and_every_route_an_addressee() {
    let document = worker_runtime::http::document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let params = route["parameters"].as_array().unwrap();
            let takes = |name: &str| params.iter().any(|param| param["name"] == name);
            assert!(takes("yoi-runtime-id"), "{method} {path}");
            let is_operation = route.get("x-yoi-operation").is_some();
            assert_eq!(takes("yoi-deadline-ms"), is_operation, "{method} {path}");
        }
    }
}

/// Every value of an `enum` in a document.
fn enum_values(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::Array(values) if name == "enum" => {
                found.extend(values.iter().map(|one| one.as_str().unwrap().to_owned()));
            }
            _ => enum_values(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| enum_values(item, found)),
        _ => {}
    }
}

#[test]
fn the_document_has_the_names_of_the_wire() {
    let document = worker_runtime::http::document();
    let codes = document["components"]["schemas"]["Code"]["enum"]
        .as_array()
        .unwrap();
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    let expected: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, expected);

    let mut found = BTreeSet::new();
    enum_values(&document, &mut found);
    for value in found {
        let fits = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
        assert!(value.chars().all(fits), "{value} is no name of the wire");
    }
}

/// Fails for a `$ref` that leads nowhere.
fn assert_refers(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(target) if name == "$ref" => {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(
                    document.pointer(pointer).is_some(),
                    "{target} leads nowhere"
                );
            }
            _ => assert_refers(value, document),
        }),
        Value::Array(items) => items.iter().for_each(|item| assert_refers(item, document)),
        _ => {}
    }
}
