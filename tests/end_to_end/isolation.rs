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

    // Whoever watched is told what happened, in the words of the link, and stays.
    let lost = loop {
        let frame = watch.next().await.expect("the stream goes on");
        if frame["kind"] == "control" && frame["control"]["type"] != "caught_up" {
            break frame;
        }
    };
    assert_eq!(lost["control"]["type"], "upstream_lost", "{lost}");
    assert_eq!(lost["control"]["code"], "runtime_unreachable", "{lost}");

    // The dead one is a typed answer, and a command to it says that nothing was done: nobody is
    // there, or it is not asked any more.
    let (status, body) = api
        .post(
            "/api/runtimes/far/workers/w-1/input",
            json!({"content": "?"}),
        )
        .await;
    let nobody = json!([502, "runtime_unreachable", "refused", "link"]);
    let left_alone = json!([503, "runtime_unavailable", "circuit_open", "backend"]);
    let told = json!([status, body["code"], body["reason"], body["origin"]]);
    assert!(told == nobody || told == left_alone, "{body}");
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
    let incomplete = |code| json!([{"runtime_id": "far", "code": code}]);
    let codes = ["runtime_unreachable", "runtime_unavailable"];
    assert!(
        codes.map(incomplete).contains(&sweep["incomplete"]),
        "{sweep}"
    );
    let (status, _) = api.get("/api/runtimes").await;
    assert_eq!(status, 200);
}
