//! What a Backend says of its Runtimes, and what it refuses of itself.

use std::time::Duration;

use serde_json::{Value, json};
use yoi_client::{Call, RetryPolicy};
use yoi_protocol::WorkerId;
use yoi_testkit::{Ask, Browser, Fault, FaultProxy, TestBackend, eventually};
use yoi_workspace_server::{PresenceSettings, RemoteSettings};

use super::ledger::{Ledger, frames};
use super::workers::{gpu_1, next};

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    of_the_fleet(&mut ledger).await;
    of_a_stream_that_breaks(&mut ledger).await;
    of_what_is_not_there(&mut ledger).await;
    of_who_cannot_be_reached(&mut ledger).await;
    of_itself(&mut ledger).await;
    ledger
}

async fn of_the_fleet(ledger: &mut Ledger) {
    let (runtime, mut script) = gpu_1().await;
    let backend = TestBackend::builder()
        .embedded("local")
        .remote(&runtime)
        .start()
        .await;
    let browser = backend.browser();
    let remote = seen(&browser, "gpu-1", "online").await;
    let mut embedded = seen(&browser, "local", "online").await;
    ledger.compare("backend/runtime", &with_description(remote));
    embedded["profiles"]
        .as_array_mut()
        .expect("a list")
        .truncate(1);
    ledger.compare("backend/runtime_embedded", &embedded);
    ledger.compare("backend/runtimes", &get(&browser, "/api/runtimes").await);

    const WORKERS: &str = "/api/runtimes/gpu-1/workers";
    let create = ledger.taken("requests/create_worker");
    let _created = browser.ask("POST", WORKERS).json(&create).await.expect(201);
    ledger.compare("backend/workers", &get(&browser, "/api/workers").await);
    let id = WorkerId::parse("w-1").expect("an id");
    let watch = async || {
        let stream = browser
            .workers("gpu-1")
            .events(&id, None, &Call::default())
            .await;
        stream.expect("it is there")
    };
    let mut stream = watch().await;
    next(&mut stream).await;
    ledger.compare("frames/backend/caught_up", &next(&mut stream).await);
    let input = ledger.taken("requests/input");
    let path = format!("{WORKERS}/w-1/input");
    let _accepted = browser.ask("POST", &path).json(&input).await.expect(202);
    let run = script.next_run().await;
    run.say("It ").await;
    loop {
        let frame = next(&mut stream).await;
        if frame["kind"] == "delta" {
            ledger.compare("frames/backend/text", &frame);
            break;
        }
    }
    run.complete();
    while next(&mut stream).await["event"]["status"] != "idle" {}
    let snapshot = next(&mut watch().await).await;
    ledger.compare("frames/backend/snapshot", &snapshot);
}

async fn of_a_stream_that_breaks(ledger: &mut Ledger) {
    let (runtime, _script) = gpu_1().await;
    let link = FaultProxy::to(&runtime).await;
    let backend = TestBackend::builder().remote(&link).start().await;
    let browser = backend.browser();
    let create = json!({"worker_id": "w-1"});
    let workers = browser.ask("POST", "/api/runtimes/gpu-1/workers");
    let _created = workers.json(&create).await.expect(201);
    let id = WorkerId::parse("w-1").expect("an id");
    let workers = browser.workers("gpu-1");
    let stream = workers.events(&id, None, &Call::default()).await;
    let mut stream = stream.expect("it is there");
    while next(&mut stream).await["control"]["type"] != "caught_up" {}
    let fault = link.inject(Fault::StreamReset.first(1));
    let lost = next(&mut stream).await;
    ledger.compare("frames/backend/upstream_lost", &lost);
    let restored = next(&mut stream).await;
    ledger.compare("frames/backend/upstream_restored", &restored);
    fault.undo();
}

/// The fixture has a profile with a description beside one without: those of a whole Runtime.
fn with_description(mut runtime: Value) -> Value {
    if let Some(profile) = runtime["profiles"].get_mut(0) {
        profile["description"] = "Answers with what it is told".into();
    }
    runtime
}

async fn of_what_is_not_there(ledger: &mut Ledger) {
    let nobody = RemoteSettings::new("http://127.0.0.1:1");
    let (runtime, _script) = gpu_1().await;
    let backend = TestBackend::builder()
        .remote(&runtime)
        .remote_with("gpu-0", &nobody)
        .retry(RetryPolicy::NEVER)
        .start()
        .await;
    let browser = backend.browser();
    let create =
        json!({"worker_id": "w-1", "display_name": "Reviewer", "labels": {"team": "core"}});
    for id in ["w-1", "w-2"] {
        let create = super::workers::of(&create, id);
        let path = "/api/runtimes/gpu-1/workers";
        let _created = browser.ask("POST", path).json(&create).await.expect(201);
    }
    let mut page = get(&browser, "/api/workers?limit=1").await;
    // Which code it is depends on how often it failed by then.
    page["incomplete"][0]["code"] = "runtime_timed_out".into();
    ledger.compare("backend/workers_incomplete", &page);
}

/// A Runtime before it has answered, and one that was there.
async fn of_who_cannot_be_reached(ledger: &mut Ledger) {
    // It takes connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = silent.local_addr().expect("bound");
    let settings = RemoteSettings::new(format!("http://{address}"));
    let backend = TestBackend::builder().remote_with("gpu-1", &settings);
    let backend = backend.start().await;
    let browser = backend.browser();
    ledger.compare(
        "backend/runtimes_unknown",
        &get(&browser, "/api/runtimes").await,
    );
    ledger.compare(
        "backend/runtime_unknown",
        &get(&browser, "/api/runtimes/gpu-1").await,
    );

    let often = PresenceSettings {
        every: Duration::from_millis(20),
        ..PresenceSettings::default()
    };
    let (runtime, _script) = gpu_1().await;
    let backend = TestBackend::builder()
        .remote(&runtime)
        .retry(RetryPolicy::NEVER);
    let backend = backend
        .backend(|backend| backend.presence(often))
        .start()
        .await;
    let browser = backend.browser();
    let _online = seen(&browser, "gpu-1", "online").await;
    runtime.kill().await;
    let _offline = seen(&browser, "gpu-1", "offline").await;
    ledger.compare(
        "backend/runtimes_offline",
        &get(&browser, "/api/runtimes").await,
    );
}

async fn of_itself(ledger: &mut Ledger) {
    let backend = TestBackend::builder()
        .embedded("gpu-1")
        .token("alice", "open-sesame");
    let backend = backend.start().await;
    let browser = backend.browser();
    const WORKERS: &str = "/api/runtimes/gpu-1/workers";
    let ask = |method: &str, path: &str| browser.ask(method, path);
    let create = json!({"worker_id": "w-1"});
    let _created = ask("POST", WORKERS).json(&create).await.expect(201);
    let input = format!("{WORKERS}/w-1/input");
    let stop = format!("{WORKERS}/w-1/stop");
    let no_json = ask("POST", &input)
        .body("{}")
        .header("content-type", "text/plain");
    let large = ask("POST", &input).json(&json!({"content": "x".repeat(2 << 20)}));
    let late = ask("POST", &stop).header("yoi-deadline-ms", "0");
    let page = ask("GET", "/api/runtimes").header("origin", "https://elsewhere.example");
    let limit = format!("{WORKERS}?limit=1001");
    for (code, ask) in [
        ("invalid_request", ask("GET", &limit)),
        ("unauthorized", ask("GET", "/api/runtimes").anonymous()),
        ("forbidden_origin", page),
        ("route_not_found", ask("GET", "/api/nothing")),
        ("runtime_not_found", ask("GET", "/api/runtimes/gpu-9")),
        ("worker_not_found", ask("GET", &format!("{WORKERS}/W"))),
        ("method_not_allowed", ask("PUT", WORKERS)),
        ("payload_too_large", large),
        ("unsupported_media_type", no_json),
        (
            "upgrade_required",
            ask("GET", &format!("{WORKERS}/w-1/events/ws")),
        ),
        ("timed_out", late),
    ] {
        refused(ledger, code, ask).await;
    }

    // A page cannot read a refused stream, so these are told in it.
    for (code, path) in [
        ("cursor_invalid", format!("{WORKERS}/w-1/events?cursor=x")),
        ("worker_not_found", format!("{WORKERS}/w-9/events")),
        (
            "runtime_not_found",
            "/api/runtimes/gpu-9/workers/w-1/events".to_owned(),
        ),
    ] {
        let told = frames(ask("GET", &path).await.expect(200).text());
        ledger.compare(&format!("frames/backend/diagnostics/{code}"), &told[0]);
    }
}

async fn refused(ledger: &mut Ledger, code: &str, ask: Ask) {
    let asked = format!("{ask:?}");
    let told = ask.await.json();
    assert_eq!(told["code"], code, "{asked}: {told}");
    ledger.compare(&format!("problems/backend/{code}"), &told);
}

async fn get(browser: &Browser, path: &str) -> Value {
    browser.ask("GET", path).await.expect(200).json()
}

/// What is said of one Runtime, once its status is this.
async fn seen(browser: &Browser, id: &str, status: &str) -> Value {
    let path = format!("/api/runtimes/{id}");
    eventually("the status", async || {
        let said = get(browser, &path).await;
        match said["status"] == status {
            true => Ok(said),
            false => Err(said),
        }
    })
    .await
}
