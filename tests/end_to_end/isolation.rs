//! A Runtime that dies takes nothing with it but itself.

use serde_json::json;

use crate::api::Api;
use crate::house::House;

/// A program that never ends by itself.
const FOREVER: &str = r#"
default_profile = "forever"

[profiles.forever]
executor = "command"
program = "sleep"
args = ["3600"]
"#;

#[tokio::test]
async fn killing_a_remote_runtime_in_the_middle_of_a_run_leaves_the_rest_serving() {
    let mut house = House::start(FOREVER).await;
    let api = Api::new(house.backend.url());

    for runtime in ["local", "far"] {
        let (status, body) = api
            .post(
                &format!("/api/runtimes/{runtime}/workers"),
                json!({"worker_id": "w-1"}),
            )
            .await;
        assert_eq!(status, 201, "{body}");
    }
    let (status, body) = api
        .post(
            "/api/runtimes/far/workers/w-1/input",
            json!({"content": "go"}),
        )
        .await;
    assert_eq!(status, 202, "{body}");
    let mut watch = api.watch("/api/runtimes/far/workers/w-1/events").await;
    let snapshot = watch.next().await.expect("a first frame");
    assert_eq!(
        snapshot["event"]["worker"]["status"], "running",
        "the run is in the middle"
    );

    house.far.kill();

    // Whoever watched is told what happened, in the words of the link.
    let mut last = snapshot;
    while let Some(frame) = watch.next().await {
        last = frame;
    }
    assert_eq!(last["kind"], "diagnostic", "{last}");
    assert_eq!(last["diagnostic"]["code"], "runtime_unreachable", "{last}");

    // The dead one is a typed answer, and a command to it says that nothing was done.
    let (status, body) = api
        .post(
            "/api/runtimes/far/workers/w-1/input",
            json!({"content": "?"}),
        )
        .await;
    assert_eq!(status, 502, "{body}");
    assert_eq!(body["code"], "runtime_unreachable");
    assert_eq!(body["reason"], "refused");
    assert_eq!(body["origin"], "link");
    assert_eq!(body["effect"], "none");
    assert!(
        !body.to_string().contains("127.0.0.1"),
        "no address leaves the Backend: {body}"
    );

    // The living one does all it did before, and the sweep says whose workers may be missing.
    let (status, body) = api
        .post(
            "/api/runtimes/local/workers/w-1/input",
            json!({"content": "hi"}),
        )
        .await;
    assert_eq!(status, 202, "{body}");
    let (status, sweep) = api.get("/api/workers").await;
    assert_eq!(status, 200, "{sweep}");
    assert_eq!(sweep["workers"].as_array().expect("workers").len(), 1);
    assert_eq!(
        sweep["incomplete"],
        json!([{"runtime_id": "far", "code": "runtime_unreachable"}])
    );
    let (status, _) = api.get("/api/runtimes").await;
    assert_eq!(status, 200);
}
