//! Runtimes that break one promise on the wire: each is caught, by the check of that promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use yoi_client::Transport;
use yoi_testkit::contract::{Outcome, Report, Target, check};

use crate::lasting::runtime;
use crate::tampered::{Altered, Tampered};

/// Checks a Runtime over a way that breaks something, and gives what failed, by name.
async fn failed(way: Arc<dyn Transport>) -> Vec<String> {
    let report = report(way).await;
    let mut failed: Vec<String> = report.failed().map(|one| one.name.clone()).collect();
    failed.sort();
    failed
}

/// What comes of a Runtime that is checked over a way that changes something.
pub(crate) async fn report(way: Arc<dyn Transport>) -> Report {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let target = Target::new(runtime.url())
        .token("open-sesame")
        .profile("echo")
        .long_profile("lasting")
        .patience(Duration::from_secs(20))
        .transport(way);
    check(&target).await.expect("somebody answers")
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

/// A Runtime whose answers to this path end, and method, are changed as JSON.
fn changing(
    is: impl Fn(&str) -> bool + Send + Sync + 'static,
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Arc<dyn Transport> {
    Tampered::answers(move |answer| {
        if is(&answer.path)
            && (answer.path != "/v1/runtime" || answer.response.status == StatusCode::OK)
            && let Ok(mut value) = serde_json::from_slice(&answer.body)
        {
            change(&mut value);
            answer.body = value.to_string().into_bytes();
        }
    })
}

/// A Runtime whose problems are changed.
fn problems(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Arc<dyn Transport> {
    changing(
        |_| true,
        move |value| {
            if value.get("urn").is_none() && value.get("effect").or(value.get("detail")).is_some() {
                change(value);
            }
        },
    )
}

/// A Runtime that does not take bodies with this in them.
fn refusing(text: &'static str) -> Arc<dyn Transport> {
    Tampered::requests(move |request| {
        let body = request.body.clone().unwrap_or_default();
        if String::from_utf8_lossy(&body).contains(text) {
            request.body = Some("[".into());
        }
    })
}

/// A Runtime that says each time that it started just now.
fn restarting() -> Arc<dyn Transport> {
    let count = AtomicU32::new(0);
    changing(
        |path| path == "/v1/runtime",
        move |info| {
            let second = count.fetch_add(1, Ordering::Relaxed) % 60;
            info["started_at"] = json!(format!("2026-01-01T00:00:{second:02}Z"));
        },
    )
}

/// Lists what a Runtime can do wrong on its wire, and the checks that must tell: these alone, or
/// these among others. What is listed here is what `every_check` counts as seen to fail.
macro_rules! breakages {
    ($($test:ident: $way:expr, $how:ident [$($check:literal),+ $(,)?];)+) => {
        /// The checks that fail, breakage by breakage.
        pub(crate) const CAUGHT: &[&[&str]] = &[$(&[$($check),+],)+];

        $(
            #[tokio::test]
            async fn $test() {
                let failed = failed($way).await;
                let expected = [$($check),+];
                breakages!(@$how failed expected);
            }
        )+
    };
    (@only $failed:ident $expected:ident) => {
        let mut expected = $expected;
        expected.sort_unstable();
        assert_eq!($failed, expected);
    };
    (@among $failed:ident $expected:ident) => {
        for check in $expected {
            assert!($failed.iter().any(|one| one == check), "{check} passed: {:#?}", $failed);
        }
    };
}

breakages! {
    one_that_does_not_name_its_start: without("yoi-boot-id"), only ["heads.name_their_source"];
    one_whose_streams_do_not_name_it: Tampered::opened_without("yoi-boot-id"), only ["heads.name_their_source"];
    one_whose_commands_do_not_name_its_start: Tampered::answers(|answer| {
        if answer.response.status == StatusCode::ACCEPTED {
            answer.response.headers.remove("yoi-boot-id");
        }
    }), only ["heads.name_their_source"];
    one_whose_streams_have_no_request_id: Tampered::opened_without("x-request-id"), only ["heads.carry_the_request_id"];
    one_that_makes_up_the_request_id: Tampered::answers(|answer| {
        let other = HeaderValue::from_static("another");
        answer.response.headers.insert("x-request-id", other);
    }), among ["heads.carry_the_request_id"];
    one_that_answers_for_another: blind_to(&["yoi-runtime-id"]), only ["guards.refuse_what_is_for_another"];
    one_that_takes_nobody_by_name: Tampered::requests(|request| {
        if request.uri.path() == "/v1/runtime" && !request.headers.contains_key("yoi-deadline-ms")
            && request.headers.contains_key("yoi-runtime-id") {
            let other = HeaderValue::from_static("elsewhere");
            request.headers.insert("yoi-runtime-id", other);
        }
    }), among ["guards.take_what_is_for_this_one"];
    one_that_takes_browsers: blind_to(&["origin", "sec-fetch-site"]), only ["guards.refuse_browsers"];
    one_that_takes_any_host: blind_to(&["host"]), only ["guards.refuse_other_hosts"];
    one_that_has_no_deadline: blind_to(&["yoi-deadline-ms"]), only ["commands.not_begun_in_time_do_nothing"];
    one_that_ignores_keys: blind_to(&["idempotency-key"]), only [
        "idempotency.replays_a_create",
        "idempotency.replays_an_input",
        "idempotency.replays_a_cancel",
        "idempotency.replays_a_stop",
        "idempotency.refuses_another_body",
        "idempotency.joins_what_is_in_flight",
        "heads.tell_a_replay",
        "commands.compare_bodies_after_parsing",
        "commands.refuse_keys_that_are_none",
    ];
    one_that_ignores_the_last_event_id: blind_to(&["last-event-id"]), only [
        "sse.ends_after_a_stop",
        "sse.goes_on_from_the_last_event_id",
        "sse.refuses_forged_cursors",
    ];
    one_whose_metrics_are_open: Tampered::requests(|request| {
        if request.uri.path() == "/metrics" {
            let right = HeaderValue::from_static("Bearer open-sesame");
            request.headers.insert("authorization", right);
        }
    }), only ["credential.is_needed_everywhere"];
    one_that_takes_any_token: Tampered::requests(|request| {
        if request.headers.contains_key("authorization") {
            let right = HeaderValue::from_static("Bearer open-sesame");
            request.headers.insert("authorization", right);
        }
    }), only ["credential.must_be_the_right_one"];
    one_that_creates_with_200: Tampered::answers(|answer| {
        if answer.response.status == StatusCode::CREATED {
            answer.response.status = StatusCode::OK;
        }
    }), among ["heads.say_where_a_worker_is"];
    one_whose_problems_are_plain_json: Tampered::answers(|answer| {
        if !answer.response.status.is_success() {
            let plain = HeaderValue::from_static("application/json");
            answer.response.headers.insert("content-type", plain);
        }
    }), among ["problems.unknown_routes", "problems.ids_that_none_could_have", "websocket.needs_an_upgrade"];
    one_whose_answers_are_text: Tampered::answers(|answer| {
        if answer.response.status == StatusCode::OK && answer.path.ends_with("/transcript") {
            let plain = HeaderValue::from_static("text/plain");
            answer.response.headers.insert("content-type", plain);
        }
    }), among ["heads.say_that_a_body_is_json"];
    one_that_does_not_say_its_effect: Tampered::answers(|answer: &mut Altered| {
        if answer.response.status == StatusCode::NOT_FOUND && answer.path.ends_with("/stop") {
            let mut problem: Value = serde_json::from_slice(&answer.body).unwrap();
            problem.as_object_mut().unwrap().remove("effect");
            answer.body = problem.to_string().into_bytes();
        }
    }), only ["input.nobody_takes_none", "problems.effects_of_commands_alone"];
    one_that_does_not_say_what_is_allowed: without("allow"), only ["problems.other_methods"];
    one_that_names_no_field: problems(|problem| {
        problem.as_object_mut().unwrap().remove("errors");
    }), among [
        "bodies.name_the_field_at_fault",
        "problems.parameters_that_do_not_parse",
        "create.unknown_profile_is_refused",
        "create.display_name_is_bounded",
        "cancel.reason_is_bounded",
        "list.limit_is_bounded",
        "list.page_is_not_forged",
        "transcript.limit_is_bounded",
    ];
    one_that_does_not_say_how_much_is_too_much: problems(|problem| {
        problem.as_object_mut().unwrap().remove("limit_bytes");
    }), only ["bodies.are_bounded", "input.size_is_bounded"];
    one_that_describes_itself_by_an_older_book: saying("\"openapi\":\"3.1.0\"", "\"openapi\":\"3.0.3\""), only ["upkeep.describes_itself"];
    one_whose_metrics_are_json: Tampered::answers(|answer| {
        if answer.path == "/metrics" && answer.response.status == StatusCode::OK {
            let json = HeaderValue::from_static("application/json");
            answer.response.headers.insert("content-type", json);
        }
    }), only ["upkeep.metrics_are_text"];
    one_that_is_never_ready: Tampered::answers(|answer| {
        if answer.path == "/readyz" {
            answer.response.status = StatusCode::SERVICE_UNAVAILABLE;
        }
    }), only ["upkeep.health_is_open"];
    one_whose_server_sent_events_are_others: saying("data: {\"kind\":\"event\",", "data: {\"kind\":\"event\",\"x\":1,"), only ["sse.has_the_same_frames"];
    one_whose_server_sent_events_have_no_ids: saying("id: ", "xx: "), among ["sse.names_events_by_their_cursor"];
    one_whose_server_sent_events_may_be_buffered: without("x-accel-buffering"), only ["sse.is_said_not_to_be_buffered"];
    // A close with 1000, and 1001 in its place.
    one_that_closes_with_another_code: Tampered::sockets(b"\x03\xe8complete", b"\x03\xe9complete"), only [
        "stop.is_told_last",
        "events.end_with_the_worker",
        "resume.of_a_stopped_worker_is_complete",
        "websocket.closes_with_1000_after_a_stop",
    ];
    one_that_does_not_say_why_it_closes: Tampered::sockets(b"\"observation_only\"", b"\"observation_many\""), only ["websocket.is_for_observation_only"];
    one_whose_frames_have_no_time: Tampered::sockets(b"\"at\":", b"\"ta\":"), among ["websocket.sends_one_frame_a_message"];
    one_that_answers_no_pings: Tampered::sockets(b"\x8a\x0bconformance", b"\x8a\x0bCONFORMANCE"), only ["websocket.answers_pings"];
    one_that_shows_the_credential_in_its_problems: problems(|problem| {
        problem["detail"] = json!("Bearer open-sesame is not what I know");
    }), only ["problems.show_no_credential"];
    one_that_shows_the_credential_to_who_reads_closely: Tampered::answers(|answer| {
        if answer.path == "/v1/workers" {
            let text = String::from_utf8_lossy(&answer.body);
            let text = text.replacen('{', "{\"\\u006fpen-sesame\":1,", 1);
            answer.body = text.into_bytes();
        }
    }), only ["problems.show_no_credential"];
    one_that_shows_the_credential_in_a_header: Tampered::answers(|answer| {
        let seen = HeaderValue::from_static("open-sesame");
        answer.response.headers.insert("x-seen", seen);
    }), only ["problems.show_no_credential"];
    one_that_shows_the_credential_in_its_frames: Tampered::sockets(b"\"first_sequence\"", b"\"xx-open-sesame\""), among ["problems.show_no_credential"];
    one_that_repeats_a_wrong_credential: Tampered::answers(|answer| {
        if answer.response.status == StatusCode::UNAUTHORIZED
            && let Some(sent) = answer.authorization.clone()
        {
            answer.response.headers.insert("x-seen", sent);
        }
    }), only ["problems.show_no_credential"];
    one_whose_problems_steer_a_terminal: problems(|problem| {
        problem["detail"] = json!("\u{1b}[31mred");
    }), only ["problems.are_plain_text"];
    one_that_says_null_for_nothing: changing(|path| path == "/v1/runtime", |info| {
        info["conformance"] = json!({"a": [null]});
    }), only ["bodies.leave_out_what_is_absent"];
    one_that_publishes_no_limit_on_inputs: changing(|path| path == "/v1/runtime", |info| {
        info["limits"].as_object_mut().map(|all| all.remove("max_input_bytes"));
    }), only ["runtime.bounds_itself"];
    one_with_a_limit_of_zero: changing(|path| path == "/v1/runtime", |info| {
        info["limits"]["max_workers"] = json!(0);
    }), only ["runtime.bounds_itself"];
    one_that_miscounts: changing(|path| path == "/v1/runtime", |info| {
        info["workers"]["idle"] = json!(1_000_000);
    }), only ["runtime.counts_its_workers"];
    one_that_speaks_another_version: changing(|path| path == "/v1/runtime", |info| {
        info["api_version"] = json!("v2");
    }), only ["runtime.says_what_it_is"];
    one_that_does_not_look_at_types: Tampered::requests(|request| {
        if request.method == Method::POST {
            let json = HeaderValue::from_static("application/json");
            request.headers.insert("content-type", json);
        }
    }), only ["bodies.must_be_json_by_their_type"];
    one_that_wants_a_body: Tampered::requests(|request| {
        if request.method == Method::POST && request.body.is_none() {
            request.body = Some("[".into());
            let json = HeaderValue::from_static("application/json");
            request.headers.insert("content-type", json);
        }
    }), among ["bodies.may_be_missing"];
    one_that_takes_no_unknown_fields: refusing("canary-of-a-check"), only ["bodies.may_have_unknown_fields"];
    one_that_takes_no_null: refusing(":null"), among ["bodies.may_say_null_for_nothing"];
    one_that_accepts_with_200: Tampered::answers(|answer| {
        if answer.response.status == StatusCode::ACCEPTED {
            answer.response.status = StatusCode::OK;
        }
    }), among ["commands.are_accepted_with_202"];
    one_that_finds_workers_by_name: Tampered::answers(|answer| {
        if answer.path.contains("name-of-") {
            answer.response.status = StatusCode::OK;
        }
    }), only ["problems.names_are_no_address"];
    one_that_upgrades_whatever_the_cursor: Tampered::requests(|request| {
        if request.uri.path().ends_with("/ws") {
            let uri = request.uri.to_string();
            request.uri = uri.split('?').next().unwrap().parse().unwrap();
        }
    }), among ["websocket.refuses_before_the_upgrade"];
    one_that_starts_again_and_again: restarting(), only ["runtime.keeps_its_names"];
    one_whose_refs_name_no_runtime: saying("@", "@@"), among ["create.answers_with_the_worker"];
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
    assert!(detail.contains("missing field `api_version`"), "{detail}");
}
