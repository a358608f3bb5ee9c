//! Nothing of a Runtime's address, credential or store path leaves the Backend.

use serde_json::{Value, json};
use yoi_protocol::Problem;
use yoi_testkit::{Canaries, FakeRuntime, MountedStub};
use yoi_workspace_server::{Backend, Registration};

use crate::heard::{Log, Metrics};
use crate::support::{Reply, STILL, Seen, Served, id, once, registered, remote};

fn whole(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, reply.text)
}

/// Lets a Runtime say all it knows wherever it may say anything.
async fn talkative(fake: &FakeRuntime, said: &str) -> Vec<MountedStub> {
    let boot_id = format!("boot-at-{}", fake.address());
    let info = json!({"runtime_id": "fake", "boot_id": boot_id, "api_version": said,
        "version": said, "status": "running", "store": said,
        "capabilities": ["idempotency", said, fake.url()], "display_name": said,
        "profiles": [{"name": "p", "executor": "e", "description": said}],
        "diagnostics": [{"severity": "warning", "code": "c", "message": said}],
        "started_at": "2026-01-01T00:00:00.000Z", "unknown": said});
    let run_error = json!({"run_id": "run-1", "outcome": "failed", "error": {"code": "c", "message": said},
        "finished_at": "2026-01-01T00:00:00.000Z"});
    let worker = json!({"runtime_id": "fake", "worker_id": "w-1", "display_name": said,
        "display_ref": format!("w-1@{said}"), "status": "idle", "profile": said,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        "transcript_length": 0, "last_run": run_error, "unknown": said});
    let problem = json!({"type": said, "title": said, "status": 400, "code": "invalid_request",
        "detail": said, "origin": "runtime", "effect": "none", "unknown": said,
        "errors": [{"pointer": format!("/{said}"), "message": said}]});
    let list = json!({"workers": [worker], "unknown": said});
    let done = json!({"worker": worker});
    let json = "application/json";
    let elsewhere = fake.get_worker("w-2").answers_raw(307, "text/html", said);
    vec![
        fake.runtime()
            .answers_raw(200, json, info.to_string())
            .mount()
            .await,
        fake.list_workers()
            .answers_raw(200, json, list.to_string())
            .mount()
            .await,
        fake.get_worker("w-1")
            .answers_raw(200, json, worker.to_string())
            .mount()
            .await,
        fake.create_worker()
            .answers_raw(201, json, worker.to_string())
            .mount()
            .await,
        fake.stop("w-1")
            .answers_raw(200, json, done.to_string())
            .mount()
            .await,
        fake.cancel("w-1")
            .answers_raw(200, json, done.to_string())
            .mount()
            .await,
        fake.send_input("w-1")
            .answers_raw(400, Problem::CONTENT_TYPE, problem.to_string())
            .mount()
            .await,
        fake.transcript("w-1")
            .answers_raw(500, "text/plain", said)
            .mount()
            .await,
        elsewhere.with_header("location", &fake.url()).mount().await,
    ]
}

#[tokio::test]
async fn no_answer_frame_log_or_debug_shows_where_a_runtime_is_or_what_opens_it() {
    let log = Log::default();
    let metrics = Metrics::here();
    // For the whole process: what other tests log shows no canary of this one either.
    let ours = "off,yoi=trace,yoi_workspace_server=trace,yoi_client=trace,yoi_http_kit=trace,\
                yoi_config=trace,worker_runtime=trace";
    tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_env_filter(ours)
        .init();

    let mut canaries = Canaries::new();
    let token = canaries.plant("the token");
    let fake = FakeRuntime::builder("fake").token(&*token).start().await;
    let store = format!("/srv/{}", canaries.plant("the store's path"));
    canaries.watch("the address", &fake.url());
    canaries.watch("the port", &fake.address().to_string());
    let said = format!("at {} with {token} in {store}", fake.url());
    let stubs = talkative(&fake, &said).await;

    let settings = once(&fake);
    canaries.check_debug("settings", &settings);
    let registration = Registration::remote(id("fake"), &settings)
        .unwrap()
        .hide(vec![store]);
    canaries.check_debug("a registration", &registration);
    let builder = Backend::builder().runtime(registration).presence(STILL);
    canaries.check_debug("a builder", &builder);
    let served = Served::with(builder, |_| {}).await;
    canaries.check_debug("the backend", &served.backend);

    let base = "/api/runtimes/fake";
    let asked: [(&str, String, Option<Value>); 12] = [
        ("GET", "/api/runtimes".into(), None),
        ("GET", base.into(), None),
        ("GET", "/api/workers".into(), None),
        ("GET", format!("{base}/workers"), None),
        ("POST", format!("{base}/workers"), Some(json!({}))),
        ("GET", format!("{base}/workers/w-1"), None),
        ("GET", format!("{base}/workers/w-2"), None),
        (
            "POST",
            format!("{base}/workers/w-1/input"),
            Some(json!({"content": "x"})),
        ),
        ("POST", format!("{base}/workers/w-1/cancel"), None),
        ("POST", format!("{base}/workers/w-1/stop"), None),
        ("GET", format!("{base}/workers/w-1/transcript"), None),
        ("GET", format!("{base}/workers/w-1/events"), None),
    ];
    let mut hidden = 0;
    for (verb, path, body) in asked {
        let reply = served.ask(verb, &path, &[], body.as_ref()).await;
        canaries.check(&format!("{verb} {path}"), &whole(&reply));
        hidden += reply.text.matches("[hidden]").count();
        for place in ["display_ref", "display_name", "profile"] {
            let is_worker = reply.body[place].is_string() && reply.body["worker_id"].is_string();
            assert!(
                !is_worker || reply.body[place].as_str().unwrap().contains("[hidden]"),
                "vacuous: {place} of {verb} {path}: {}",
                reply.text
            );
        }
    }
    let detail = served.get(base).await;
    assert_eq!(detail.body["capabilities"], json!(["idempotency"]));
    let boot_id = detail.body["boot_id"].as_str().unwrap();
    assert!(boot_id.starts_with("hidden-"), "{boot_id}");
    assert!(
        hidden > 60,
        "vacuous: the runtime's texts were not passed on at all"
    );

    let mut watcher = served.watch(&format!("{base}/workers/w-1"), "").await;
    loop {
        match watcher.see().await {
            Seen::Frame(frame) => canaries.check("a frame", &frame.to_string()),
            Seen::Closed(code, reason) => {
                canaries.check("a close", &format!("{code} {reason}"));
                break;
            }
        }
    }
    let watched = fake.take_unexpected();
    assert_eq!(
        watched.len(),
        2,
        "as events and over a WebSocket: {watched:?}"
    );
    drop((stubs, fake));
    let gone = served.get(&format!("{base}/workers/w-1")).await;
    canaries.check("an answer without a runtime", &whole(&gone));
    let log = log.text();
    assert!(log.contains("yoi::audit"), "vacuous: {log}");
    canaries.check("the log", &log);
    let metrics = metrics.text();
    assert!(
        metrics.contains("yoi_backend_runtime_calls_total"),
        "vacuous"
    );
    canaries.check("the metrics", &metrics);
}

#[tokio::test]
async fn what_a_remote_worker_says_passes_and_what_its_runtime_says_of_it_is_cleaned() {
    let (runtime, mut script) = remote("outside").await;
    let served = Served::over(registered(&runtime)).await;
    let path = served.create("outside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    served.input(&path).await;
    let run = script.next_run().await;
    let address = runtime.url();
    run.say(&format!("I live at {address}")).await;
    run.fail("lost", &format!("{address} refused remote-token\nbadly"));
    let frames = watcher.until_event("run_finished").await;
    let entry = frames
        .iter()
        .find(|f| f["event"]["type"] == "entry_appended")
        .unwrap();
    assert_eq!(
        entry["event"]["entry"]["content"],
        format!("I live at {address}")
    );
    let error = &frames.last().unwrap()["event"]["error"];
    assert_eq!(
        *error,
        json!({"code": "lost", "message": "[hidden] refused [hidden] badly"})
    );
    let mut fresh = served.watch(&path, "").await;
    let snapshot = fresh.until_caught_up().await;
    assert_eq!(snapshot[0]["event"]["worker"]["last_run"]["error"], *error);
    assert_eq!(served.get(&path).await.body["last_run"]["error"], *error);
}
