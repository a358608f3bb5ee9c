//! Every answer of the Runtime API, to the byte: what clients rely on changes here, or not at all.

use serde_json::{Map, Value, json};

use crate::support::{Answer, Served, WAIT};

/// The headers that the contract gives a meaning.
const HEADERS: &[&str] = &[
    "allow",
    "content-type",
    "idempotency-replayed",
    "location",
    "retry-after",
    "www-authenticate",
    "yoi-boot-id",
    "yoi-runtime-id",
];

/// A caller that keeps what it is told.
struct Walk {
    served: Served,
    told: Map<String, Value>,
}

impl Walk {
    async fn step(&mut self, name: &str, method: &str, path: &str, body: Option<&str>) {
        self.step_with(name, method, path, &[], body).await;
    }

    async fn step_with(
        &mut self,
        name: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) {
        let id = format!("req-{name}");
        let mut all = vec![("x-request-id", id.as_str())];
        all.extend(headers);
        let answer = self.served.ask(method, path, &all, body).await;
        let shown = shown(method, path, &answer);
        assert!(
            self.told.insert(name.to_owned(), shown).is_none(),
            "{name} came twice"
        );
    }

    async fn until_idle(&self) {
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            let worker = self.served.get("/v1/workers/w-1").await.value(200);
            if worker["status"] == "idle" {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "still {worker}");
        }
    }
}

fn shown(method: &str, path: &str, answer: &Answer) -> Value {
    let headers: Map<String, Value> = HEADERS
        .iter()
        .filter(|name| answer.headers.contains_key(**name))
        .map(|name| ((*name).to_owned(), json!(answer.header(name))))
        .collect();
    let body: Value = serde_json::from_str(&answer.body).unwrap_or(json!(answer.body));
    json!({
        "request": format!("{method} {path}"),
        "status": answer.status.as_u16(),
        "headers": headers,
        "body": settled(body),
    })
}

/// Takes out what follows the version and the features of the build, having looked at it.
fn settled(mut body: Value) -> Value {
    if let Some(version) = body.get_mut("version") {
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        *version = json!("[version]");
    }
    if let Some(capabilities) = body.get_mut("capabilities") {
        let all = capabilities.as_array_mut().unwrap();
        let ws = all.iter().position(|one| one == "events.ws");
        assert_eq!(ws.is_some(), cfg!(feature = "ws-server"));
        ws.map(|at| all.remove(at));
    }
    body
}

#[tokio::test]
async fn every_answer() {
    let served = Served::with(|setup| {
        setup.repeatable = true;
        setup.limits.max_workers = 2;
        setup.limits.max_input_bytes = 32;
    })
    .await;
    let mut walk = Walk {
        served,
        told: Map::new(),
    };
    let w1 = |rest: &str| format!("/v1/workers/w-1{rest}");
    let create = r#"{"worker_id":"w-1","display_name":"One","profile":"held",
        "intent":{"kind":"task","of":"tests"},"labels":{"team":"a"}}"#;
    let input = Some(r#"{"content":"hello"}"#);
    let key = [("idempotency-key", "k-1")];

    walk.step("runtime", "GET", "/v1/runtime", None).await;
    walk.step("no_workers", "GET", "/v1/workers", None).await;
    walk.step_with("create", "POST", "/v1/workers", &key, Some(create))
        .await;
    walk.step_with("create_replayed", "POST", "/v1/workers", &key, Some(create))
        .await;
    walk.step_with(
        "key_of_another_body",
        "POST",
        "/v1/workers",
        &key,
        Some("{}"),
    )
    .await;
    walk.step("create_taken", "POST", "/v1/workers", Some(create))
        .await;
    walk.step("create_default", "POST", "/v1/workers", Some("{}"))
        .await;
    walk.step("create_over_the_limit", "POST", "/v1/workers", Some("{}"))
        .await;
    let faults = r#"{"display_name":"","profile":"","labels":{"":""}}"#;
    walk.step("create_invalid", "POST", "/v1/workers", Some(faults))
        .await;
    walk.step(
        "create_unknown_profile",
        "POST",
        "/v1/workers",
        Some(r#"{"profile":"x"}"#),
    )
    .await;
    let bundle = r#"{"config_bundle":{"id":"b","digest":"d"}}"#;
    walk.step("create_unsupported", "POST", "/v1/workers", Some(bundle))
        .await;
    walk.step("list_page", "GET", "/v1/workers?limit=1", None)
        .await;
    walk.step("list_bad_page", "GET", "/v1/workers?page=x", None)
        .await;
    walk.step("list_bad_limit", "GET", "/v1/workers?limit=1001", None)
        .await;

    walk.step("input", "POST", &w1("/input"), input).await;
    walk.step("input_busy", "POST", &w1("/input"), input).await;
    walk.step("worker_running", "GET", &w1(""), None).await;
    let other = Some(r#"{"run_id":"run-other"}"#);
    walk.step("cancel_another_run", "POST", &w1("/cancel"), other)
        .await;
    walk.served.hold.release();
    walk.until_idle().await;
    walk.step("worker_idle", "GET", &w1(""), None).await;
    walk.step("transcript", "GET", &w1("/transcript"), None)
        .await;
    walk.step("transcript_page", "GET", &w1("/transcript?limit=1"), None)
        .await;
    walk.step(
        "transcript_past_the_end",
        "GET",
        &w1("/transcript?after=9"),
        None,
    )
    .await;
    walk.step("input_invalid", "POST", &w1("/input"), Some("{}"))
        .await;
    let long = format!(r#"{{"content":"{}"}}"#, "x".repeat(33));
    walk.step("input_too_large", "POST", &w1("/input"), Some(&long))
        .await;
    walk.step("cancel_idle", "POST", &w1("/cancel"), None).await;
    walk.step("stop", "POST", &w1("/stop"), Some(r#"{"reason":"done"}"#))
        .await;
    walk.step("input_stopped", "POST", &w1("/input"), input)
        .await;

    walk.step("events_forged_cursor", "GET", &w1("/events?cursor=x"), None)
        .await;
    walk.step("no_such_worker", "GET", "/v1/workers/w-none", None)
        .await;
    walk.step(
        "stop_no_such_worker",
        "POST",
        "/v1/workers/w-none/stop",
        None,
    )
    .await;
    walk.step("no_such_route", "GET", "/v1/nothing", None).await;
    walk.step("wrong_method", "PUT", "/v1/workers", None).await;
    let text = [("content-type", "text/plain")];
    walk.step_with("no_json", "POST", "/v1/workers", &text, Some("{}"))
        .await;
    let elsewhere = [("yoi-runtime-id", "rt-other")];
    walk.step_with("misdirected", "POST", "/v1/workers", &elsewhere, Some("{}"))
        .await;
    let page = [("origin", "http://localhost")];
    walk.step_with("a_browser", "GET", "/v1/runtime", &page, None)
        .await;
    let late = [("yoi-deadline-ms", "0")];
    walk.step_with("too_late", "POST", &w1("/stop"), &late, None)
        .await;
    let bad_key = [("idempotency-key", "a b")];
    walk.step_with("bad_key", "POST", &w1("/stop"), &bad_key, None)
        .await;
    walk.step("healthz", "GET", "/healthz", None).await;
    walk.step("readyz", "GET", "/readyz", None).await;

    insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("runtime_answers", walk.told);
    });
}

#[test]
fn the_openapi_document() {
    insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("runtime_openapi", worker_runtime::http::document());
    });
}
