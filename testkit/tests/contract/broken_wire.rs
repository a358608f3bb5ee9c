//! Runtimes that break one promise on the wire: each is caught, by the check of that promise.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use yoi_client::Transport;
use yoi_protocol::Code;
use yoi_testkit::contract::{Outcome, Target, check};

use crate::lasting::runtime;
use crate::tampered::{Altered, Tampered};

/// Checks a Runtime over a way that breaks something, and gives what failed.
async fn failed(way: Arc<dyn Transport>) -> Vec<String> {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let target = Target::new(runtime.url())
        .token("open-sesame")
        .profile("echo")
        .long_profile("lasting")
        .patience(Duration::from_secs(5))
        .transport(way);
    let report = check(&target).await.expect("somebody answers");
    report.failed().map(|one| one.name.clone()).collect()
}

/// A Runtime that does not look at these headers of a request.
fn blind_to(names: &'static [&'static str]) -> Arc<dyn Transport> {
    Tampered::requests(move |request| {
        for name in names {
            request.headers.remove(*name);
        }
    })
}

/// A Runtime that leaves this header out of its answers.
fn without(name: &'static str) -> Arc<dyn Transport> {
    Tampered::answers(move |answer| {
        answer.response.headers.remove(name);
    })
}

/// A Runtime whose texts say one thing for another.
fn saying(from: &'static str, to: &'static str) -> Arc<dyn Transport> {
    Tampered::answers(move |answer| {
        let text = String::from_utf8_lossy(&answer.body).replace(from, to);
        answer.body = text.into_bytes();
    })
}

#[tokio::test]
async fn one_that_does_not_name_its_start() {
    assert_eq!(
        failed(without("yoi-boot-id")).await,
        ["heads.name_their_source"]
    );
}

#[tokio::test]
async fn one_that_makes_up_the_request_id() {
    let way = Tampered::answers(|answer| {
        let other = HeaderValue::from_static("another");
        answer.response.headers.insert("x-request-id", other);
    });
    let failed = failed(way).await;
    assert!(
        failed.contains(&"heads.carry_the_request_id".to_owned()),
        "{failed:?}"
    );
}

#[tokio::test]
async fn one_that_answers_for_another() {
    assert_eq!(
        failed(blind_to(&["yoi-runtime-id"])).await,
        ["guards.refuse_what_is_for_another"]
    );
}

#[tokio::test]
async fn one_that_takes_browsers() {
    assert_eq!(
        failed(blind_to(&["origin", "sec-fetch-site"])).await,
        ["guards.refuse_browsers"]
    );
}

#[tokio::test]
async fn one_that_takes_any_host() {
    assert_eq!(
        failed(blind_to(&["host"])).await,
        ["guards.refuse_other_hosts"]
    );
}

#[tokio::test]
async fn one_that_has_no_deadline() {
    assert_eq!(
        failed(blind_to(&["yoi-deadline-ms"])).await,
        ["commands.not_begun_in_time_do_nothing"]
    );
}

#[tokio::test]
async fn one_that_ignores_keys() {
    assert_eq!(
        failed(blind_to(&["idempotency-key"])).await,
        [
            "idempotency.replays_a_create",
            "idempotency.replays_an_input",
            "idempotency.replays_a_cancel",
            "idempotency.replays_a_stop",
            "idempotency.refuses_another_body",
            "idempotency.joins_what_is_in_flight",
            "heads.tell_a_replay",
            "commands.compare_bodies_after_parsing",
            "commands.refuse_keys_that_are_none",
        ]
    );
}

#[tokio::test]
async fn one_that_ignores_the_last_event_id() {
    assert_eq!(
        failed(blind_to(&["last-event-id"])).await,
        [
            "sse.ends_after_a_stop",
            "sse.goes_on_from_the_last_event_id",
            "sse.refuses_forged_cursors",
        ]
    );
}

#[tokio::test]
async fn one_whose_metrics_are_open() {
    let way = Tampered::requests(|request| {
        if request.uri.path() == "/metrics" {
            let right = HeaderValue::from_static("Bearer open-sesame");
            request.headers.insert("authorization", right);
        }
    });
    assert_eq!(failed(way).await, ["credential.is_needed_everywhere"]);
}

#[tokio::test]
async fn one_that_creates_with_200() {
    let way = Tampered::answers(|answer| {
        if answer.response.status == StatusCode::CREATED {
            answer.response.status = StatusCode::OK;
        }
    });
    let failed = failed(way).await;
    assert!(
        failed.contains(&"heads.say_where_a_worker_is".to_owned()),
        "{failed:?}"
    );
}

#[tokio::test]
async fn one_whose_problems_are_plain_json() {
    let way = Tampered::answers(|answer| {
        if !answer.response.status.is_success() {
            let plain = HeaderValue::from_static("application/json");
            answer.response.headers.insert("content-type", plain);
        }
    });
    let failed = failed(way).await;
    assert!(
        failed.contains(&"problems.unknown_routes".to_owned()),
        "{failed:?}"
    );
}

#[tokio::test]
async fn one_that_does_not_say_its_effect() {
    let way = Tampered::answers(|answer: &mut Altered| {
        if answer.response.status == StatusCode::NOT_FOUND && answer.path.ends_with("/stop") {
            let mut problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            problem.as_object_mut().unwrap().remove("effect");
            answer.body = problem.to_string().into_bytes();
        }
    });
    assert_eq!(
        failed(way).await,
        [
            "input.nobody_takes_none",
            "problems.effects_of_commands_alone"
        ]
    );
}

#[tokio::test]
async fn one_that_does_not_say_what_is_allowed() {
    assert_eq!(failed(without("allow")).await, ["problems.other_methods"]);
}

#[tokio::test]
async fn one_that_describes_itself_by_an_older_book() {
    assert_eq!(
        failed(saying("\"openapi\":\"3.1.0\"", "\"openapi\":\"3.0.3\"")).await,
        ["upkeep.describes_itself"]
    );
}

#[tokio::test]
async fn one_whose_server_sent_events_are_others() {
    assert_eq!(
        failed(saying(
            "data: {\"kind\":\"event\",",
            "data: {\"kind\":\"event\",\"x\":1,"
        ))
        .await,
        ["sse.has_the_same_frames"]
    );
}

#[tokio::test]
async fn one_that_closes_with_another_code() {
    // A close with 1000, and 1001 in its place.
    let way = Tampered::sockets(b"\x03\xe8complete", b"\x03\xe9complete");
    assert_eq!(
        failed(way).await,
        [
            "stop.is_told_last",
            "events.end_with_the_worker",
            "resume.of_a_stopped_worker_is_complete",
            "websocket.closes_with_1000_after_a_stop",
        ]
    );
}

#[tokio::test]
async fn one_that_does_not_say_what_it_is() {
    let runtime = runtime("gpu-1").start().await;
    let way = saying("\"api_version\"", "\"api\"");
    let report = check(&Target::new(runtime.url()).transport(way))
        .await
        .unwrap();
    assert_eq!(
        (report.failed, report.passed, &report.runtime),
        (1, 0, &None)
    );
    let Some(Outcome::Failed { detail }) = report.checks.first().map(|one| &one.outcome) else {
        panic!("{report:#?}");
    };
    assert!(
        detail.contains(Code::RuntimeProtocolError.as_str()),
        "{detail}"
    );
}
