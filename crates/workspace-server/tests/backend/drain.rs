//! The end of a Backend.

use std::time::Duration;

use serde_json::json;
use yoi_workspace_server::{Backend, Registration};

use crate::support::{Served, embedded, registered, remote};

#[tokio::test]
async fn a_backend_that_ends_refuses_commands_answers_reads_and_tells_watchers() {
    let (inside, mut script) = embedded("inside").await;
    let (outside, _other) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(inside.clone()))
        .runtime(registered(&outside));
    let served = Served::start(builder).await;
    let here = served.create("inside", "w-1").await;
    let there = served.create("outside", "w-1").await;
    let mut watchers = [
        served.watch(&here, "").await,
        served.watch(&there, "").await,
    ];
    for watcher in &mut watchers {
        watcher.until_caught_up().await;
    }
    served
        .post(&format!("{here}/input"), json!({"content": "go"}))
        .await;
    let _run = script.next_run().await;
    served.backend.drain(Duration::from_secs(5)).await;
    assert_eq!(served.get("/readyz").await.status, 503);
    for path in [&here, &there] {
        let refused = served.post(&format!("{path}/stop"), json!({})).await;
        assert_eq!(refused.brief(), "503 unavailable backend none");
        assert_eq!(served.get(path).await.status, 200);
    }
    for watcher in &mut watchers {
        assert_eq!(watcher.end().await, (Some("draining".into()), 1012));
    }
    let last = &served.get(&here).await.body["last_run"];
    assert_eq!(last["outcome"], "failed");
    assert_eq!(last["error"]["code"], "interrupted");
}

#[tokio::test]
async fn an_embedded_runtime_that_drains_alone_is_unavailable_as_a_remote_one_would_be() {
    let (inside, _script) = embedded("inside").await;
    let builder = Backend::builder().runtime(Registration::embedded(inside.clone()));
    let served = Served::start(builder).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    inside.drain(Duration::from_secs(5)).await;
    let refused = served.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(refused.brief(), "503 runtime_unavailable runtime none");
    assert_eq!(refused.body["reason"], "draining");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(served.get(&path).await.status, 200);
    assert_eq!(
        watcher.end().await,
        (Some("runtime_unavailable".into()), 4503)
    );
    assert_eq!(served.get("/readyz").await.status, 200);
    served.backend.probe().await;
    let runtime = served.get("/api/runtimes/inside").await;
    assert_eq!(runtime.body["status"], "degraded");
}
