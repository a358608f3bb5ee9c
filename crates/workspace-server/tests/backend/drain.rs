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
