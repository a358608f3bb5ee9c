//! How long a caller waits.

use yoi_protocol::{Code, Effect};

use crate::support::Served;

#[tokio::test]
async fn a_command_that_has_not_begun_by_then_does_nothing() {
    let served = Served::start().await;
    let now = [("yoi-deadline-ms", "0")];
    let late = served
        .ask("POST", "/v1/workers", &now, Some(r#"{"worker_id":"w-1"}"#))
        .await;
    assert_eq!(late.problem(Code::TimedOut).effect, Some(Effect::None));
    served
        .get("/v1/workers/w-1")
        .await
        .problem(Code::WorkerNotFound);
}

#[tokio::test]
async fn a_command_that_has_begun_is_of_unknown_effect() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    served.input("w-1").await;
    // Long enough to begin, on any machine.
    let soon = [("yoi-deadline-ms", "10000")];
    let late = served
        .ask("POST", "/v1/workers/w-1/cancel", &soon, Some("{}"))
        .await;
    assert_eq!(late.problem(Code::TimedOut).effect, Some(Effect::Unknown));
    served.hold.release();
}

#[tokio::test]
async fn a_deadline_that_is_none_is_named() {
    let served = Served::start().await;
    for bad in ["soon", "-1", "1.5"] {
        let headers = [("yoi-deadline-ms", bad)];
        for (method, path, body) in [
            ("GET", "/v1/workers", None),
            ("POST", "/v1/workers", Some("{}")),
        ] {
            let answer = served.ask(method, path, &headers, body).await;
            assert_eq!(answer.pointers(), ["/yoi-deadline-ms"], "{bad}");
        }
    }
}

#[tokio::test]
async fn enough_time_changes_nothing() {
    let served = Served::start().await;
    let headers = [("yoi-deadline-ms", "20000")];
    served
        .ask("POST", "/v1/workers", &headers, Some("{}"))
        .await
        .value(201);
    served
        .ask("GET", "/v1/workers", &headers, None)
        .await
        .value(200);
}
