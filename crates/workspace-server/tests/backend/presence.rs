//! What is said of Runtimes without asking them.

use serde_json::json;
use yoi_testkit::FakeRuntime;
use yoi_workspace_server::{Backend, Registration};

use crate::support::{STILL, Served, embedded, registered, remote};

#[tokio::test]
async fn a_list_of_runtimes_asks_nobody() {
    let fake = FakeRuntime::start("fake").await;
    let asked = fake.runtime().uncoded(404).mount().await;
    let served = Served::over(registered(&fake)).await;
    // Once as the Backend starts, and once by this test.
    asked.until_asked(2).await;
    for _ in 0..3 {
        let list = served.get("/api/runtimes").await;
        let entry = &list.body["runtimes"][0];
        assert_eq!(entry["source"], "remote");
        assert_eq!(entry["status"], "degraded", "{entry}");
        assert_eq!(entry["last_error"]["code"], "operation_unsupported");
        assert_eq!(served.get("/api/runtimes/fake").await.status, 200);
    }
    served.backend.probe().await;
    assert_eq!(asked.received().len(), 3, "and once more just now");
}

#[tokio::test]
async fn a_runtime_that_is_gone_is_offline_and_its_last_words_stay() {
    let (outside, _script) = remote("outside").await;
    let (inside, _other) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(registered(&outside).display_name(Some("GPU box".into())))
        .runtime(Registration::embedded(inside));
    let served = Served::start(builder).await;
    let list = served.get("/api/runtimes").await;
    let [one, two] = list.body["runtimes"].as_array().unwrap().as_slice() else {
        panic!("{}", list.text)
    };
    assert_eq!(
        (&one["runtime_id"], &two["runtime_id"]),
        (&json!("inside"), &json!("outside"))
    );
    assert_eq!(
        (&one["status"], &two["status"]),
        (&json!("online"), &json!("online"))
    );
    assert_eq!(one["capabilities"], two["capabilities"]);
    assert_eq!(two["display_name"], "GPU box");
    outside.kill().await;
    // The first may still meet the connection that was kept, and see it reset.
    served.backend.probe().await;
    served.backend.probe().await;
    let detail = served.get("/api/runtimes/outside").await;
    assert_eq!(detail.body["status"], "offline");
    assert_eq!(detail.body["last_error"]["code"], "runtime_unreachable");
    assert_eq!(detail.body["last_error"]["reason"], "refused");
    assert_eq!(
        detail.body["capabilities"], two["capabilities"],
        "as last seen"
    );
    assert!(detail.body["limits"]["max_workers"].is_u64());
    assert!(detail.body["profiles"].is_array());
    assert_eq!(
        served.get("/api/runtimes/none").await.brief(),
        "404 runtime_not_found backend -"
    );
}

#[tokio::test]
async fn the_background_probe_comes_back_by_itself() {
    let fake = FakeRuntime::start("fake").await;
    let asked = fake.runtime().uncoded(503).mount().await;
    let every = std::time::Duration::from_millis(20);
    let presence = yoi_workspace_server::PresenceSettings { every, ..STILL };
    let builder = Backend::builder().runtime(registered(&fake));
    let _served = Served::with(builder.presence(presence), |_| {}).await;
    asked.until_asked(5).await;
}

#[tokio::test]
async fn what_a_watcher_does_wrong_says_nothing_of_the_runtime() {
    let (outside, _script) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(registered(&outside))
        .observation(yoi_workspace_server::ObservationSettings {
            max_catch_ups: 0,
            catch_up_wait: std::time::Duration::ZERO,
            ..Default::default()
        });
    let served = Served::start(builder).await;
    let path = served.create("outside", "w-1").await;
    outside.kill().await;
    served.backend.probe().await;
    for (query, code) in [("?cursor=forged", "cursor_invalid"), ("", "limit_reached")] {
        let end = served.watch(&path, query).await.end().await;
        assert_eq!(end.0.as_deref(), Some(code));
        let runtime = served.get("/api/runtimes/outside").await;
        assert_eq!(runtime.body["status"], "offline", "after {code}");
    }
}
