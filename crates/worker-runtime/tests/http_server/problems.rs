//! What is refused, and that the field at fault is named.

use yoi_protocol::{Code, Effect, Origin};

use crate::support::Served;

#[tokio::test]
async fn fields_of_a_create() {
    let served = Served::start().await;
    for (body, pointer) in [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        (r#"{"worker_id":"NO"}"#, "/worker_id"),
        (r#"{"worker_id":7}"#, "/worker_id"),
        (r#"{"display_name":""}"#, "/display_name"),
        (r#"{"profile":"nowhere"}"#, "/profile"),
        (r#"{"profile":"/bin/sh"}"#, "/profile"),
        (r#"{"intent":{"kind":"other"}}"#, "/intent/kind"),
        (r#"{"labels":{"a":1}}"#, "/labels/a"),
        (r#"{"labels":{"":"x"}}"#, "/labels/"),
        (
            r#"{"workspace_refs":[{"name":"x"}]}"#,
            "/workspace_refs/0/reference",
        ),
    ] {
        let answer = served.post("/v1/workers", body).await;
        assert_eq!(answer.pointers(), [pointer], "{body}");
        let problem = answer.problem(Code::InvalidRequest);
        assert_eq!(problem.effect, Some(Effect::None));
        assert_eq!(problem.origin, Origin::Runtime);
    }
    let page = served.get("/v1/workers").await.value(200);
    assert_eq!(
        page["workers"].as_array().unwrap().len(),
        0,
        "nothing was created"
    );
}

#[tokio::test]
async fn what_a_profile_does_not_grant_is_unsupported() {
    let served = Served::start().await;
    for body in [
        r#"{"config_bundle":{"id":"b","digest":"d"}}"#,
        r#"{"requested_capabilities":[{"name":"network"}]}"#,
        r#"{"workspace_refs":[{"name":"w","reference":"r"}]}"#,
        r#"{"mount_refs":[{"name":"m","reference":"r"}]}"#,
    ] {
        let problem = served
            .post("/v1/workers", body)
            .await
            .problem(Code::OperationUnsupported);
        assert_eq!(
            problem.details.operation.as_deref(),
            Some("workers.create"),
            "{body}"
        );
        assert_eq!(problem.effect, Some(Effect::None));
    }
}

#[tokio::test]
async fn fields_of_the_other_commands() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1025));
    for (command, body, pointer) in [
        ("input", "{}", "/content"),
        ("input", r#"{"content":null}"#, "/content"),
        ("input", r#"{"content":"x","kind":"system"}"#, "/kind"),
        ("cancel", r#"{"run_id":"NO"}"#, "/run_id"),
        ("cancel", long.as_str(), "/reason"),
        ("stop", r#"{"reason":7}"#, "/reason"),
        ("stop", long.as_str(), "/reason"),
    ] {
        let answer = served
            .post(&format!("/v1/workers/w-1/{command}"), body)
            .await;
        assert_eq!(answer.pointers(), [pointer], "{command} {body}");
    }
}

#[tokio::test]
async fn parameters_of_reads() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    for (path, pointer) in [
        ("/v1/workers?limit=0", "/limit"),
        ("/v1/workers?limit=1001", "/limit"),
        ("/v1/workers?limit=x", "/limit"),
        ("/v1/workers?status=asleep", "/status"),
        ("/v1/workers?page=forged", "/page"),
        ("/v1/workers?page=%20", "/page"),
        ("/v1/workers/w-1/transcript?limit=0", "/limit"),
        ("/v1/workers/w-1/transcript?after=-1", "/after"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.pointers(), [pointer], "{path}");
        assert_eq!(answer.problem(Code::InvalidRequest).effect, None, "{path}");
    }
}

#[tokio::test]
async fn a_worker_that_is_not_there() {
    let served = Served::start().await;
    for id in ["w-none", "NOT-AN-ID", "..%2f..%2fetc"] {
        let worker = format!("/v1/workers/{id}");
        served.get(&worker).await.problem(Code::WorkerNotFound);
        served
            .get(&format!("{worker}/transcript"))
            .await
            .problem(Code::WorkerNotFound);
        served
            .get(&format!("{worker}/events"))
            .await
            .problem(Code::WorkerNotFound);
        for command in ["input", "cancel", "stop"] {
            let answer = served
                .post(&format!("{worker}/{command}"), r#"{"content":"x"}"#)
                .await;
            let problem = answer.problem(Code::WorkerNotFound);
            assert_eq!(problem.effect, Some(Effect::None));
            let named = problem.worker_id.as_ref().map(|id| id.as_str());
            assert_eq!(named, (id == "w-none").then_some("w-none"));
        }
    }
}

#[tokio::test]
async fn a_worker_that_cannot_take_it() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    let taken = served.post("/v1/workers", r#"{"worker_id":"w-1"}"#).await;
    let problem = taken.problem(Code::WorkerAlreadyExists);
    assert_eq!(problem.worker_id.unwrap().as_str(), "w-1");

    let run = served.input("w-1").await;
    let busy = served
        .post("/v1/workers/w-1/input", r#"{"content":"x"}"#)
        .await;
    let problem = busy.problem(Code::WorkerBusy);
    assert_eq!(problem.details.active_run_id.unwrap().as_str(), run);

    served.hold.release();
    served.post("/v1/workers/w-1/stop", "{}").await.value(200);
    let stopped = served
        .post("/v1/workers/w-1/input", r#"{"content":"x"}"#)
        .await;
    stopped.problem(Code::WorkerStopped);
}

#[tokio::test]
async fn cursors_that_lead_nowhere() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    served.worker("w-2", "echo").await;
    for forged in ["", "x", "AAAA", "%20", &"A".repeat(128), &"A".repeat(5000)] {
        let answer = served
            .get(&format!("/v1/workers/w-1/events?cursor={forged}"))
            .await;
        answer.problem(Code::CursorInvalid);
    }
    let accepted = served
        .post("/v1/workers/w-1/input", r#"{"content":"x"}"#)
        .await
        .value(202);
    let cursor = accepted["cursor"].as_str().unwrap();
    assert!(cursor.len() <= 128);
    let other = served
        .get(&format!("/v1/workers/w-2/events?cursor={cursor}"))
        .await;
    other.problem(Code::CursorUnknown);
    let cut = &cursor[..cursor.len() - 1];
    let truncated = served
        .get(&format!("/v1/workers/w-1/events?cursor={cut}"))
        .await;
    truncated.problem(Code::CursorInvalid);
}

#[tokio::test]
async fn routes_methods_and_media_types() {
    let served = Served::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/workers/",
        "/v1/workers/w/other",
        "/v2/runtime",
        "/api/runtimes",
    ] {
        served.get(path).await.problem(Code::RouteNotFound);
    }
    let wrong = served.ask("PUT", "/v1/workers", &[], Some("{}")).await;
    wrong.problem(Code::MethodNotAllowed);
    let text = [("content-type", "text/plain")];
    let answer = served.ask("POST", "/v1/workers", &text, Some("{}")).await;
    answer.problem(Code::UnsupportedMediaType);

    let plain = served.get("/v1/workers/w-1/events/ws").await;
    if cfg!(feature = "ws-server") {
        plain.problem(Code::UpgradeRequired);
    } else {
        let problem = plain.problem(Code::OperationUnsupported);
        assert_eq!(problem.details.operation.as_deref(), Some("events.ws"));
    }
}
