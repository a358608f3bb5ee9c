//! Runtimes that keep the contract in another way than this project's: none fails for that.

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use yoi_client::transport::Request;
use yoi_protocol::{Limits, ListQuery, WorkerStatus};
use yoi_testkit::contract::{Checked, Outcome, Report, Target, check};

use crate::broken_wire::report;
use crate::lasting::runtime;
use crate::tampered::{Altered, Tampered};

/// Changes what a Runtime says of itself.
fn info(change: impl Fn(&mut Value)) -> impl Fn(&mut Altered) {
    move |answer| {
        if answer.path == "/v1/runtime"
            && answer.response.status == StatusCode::OK
            && let Ok(mut value) = serde_json::from_slice(&answer.body)
        {
            change(&mut value);
            answer.body = value.to_string().into_bytes();
        }
    }
}

fn without(capability: &'static str) -> impl Fn(&mut Value) {
    move |info| {
        let listed = info["capabilities"].as_array_mut();
        listed
            .into_iter()
            .for_each(|all| all.retain(|one| one != capability));
    }
}

#[track_caller]
fn nothing_failed(report: &Report) {
    let failed: Vec<&Checked> = report.failed().collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Makes an answer a problem.
fn refuse(answer: &mut Altered, status: StatusCode, change: impl Fn(&mut Value)) {
    let id = answer.response.headers["x-request-id"]
        .to_str()
        .expect("text");
    let mut problem = json!({
        "title": "No", "detail": "not here", "status": status.as_u16(),
        "origin": "runtime", "request_id": id,
    });
    change(&mut problem);
    answer.body = problem.to_string().into_bytes();
    answer.response.status = status;
    let media = HeaderValue::from_static("application/problem+json");
    answer.response.headers.insert("content-type", media);
}

#[tokio::test]
async fn one_without_cancels() {
    let lists = info(without("workers.cancel"));
    let way = Tampered::answers(move |answer| {
        lists(answer);
        if answer.path.ends_with("/cancel") {
            refuse(answer, StatusCode::NOT_IMPLEMENTED, |problem| {
                problem["code"] = json!("operation_unsupported");
                problem["type"] = json!("urn:yoi:problem:operation_unsupported");
                problem["operation"] = json!("workers.cancel");
                problem["effect"] = json!("none");
            });
        }
    });
    let report = report(way).await;
    nothing_failed(&report);
    let skipped = report
        .skipped()
        .filter(|one| one.name.starts_with("cancel."));
    assert_eq!(skipped.count(), 7);
    let listed = report.runtime.unwrap().capabilities;
    assert!(!listed.contains(&"workers.cancel".to_owned()), "{listed:?}");
}

#[tokio::test]
async fn one_without_keys_that_names_the_command() {
    let lists = info(without("idempotency"));
    let way = Tampered::both(
        |request: &mut Request| {
            // It does not do what it refuses below.
            if request.headers.contains_key("idempotency-key") {
                request.body = Some("{".into());
            }
        },
        move |answer| {
            lists(answer);
            let is_refused = answer.response.status == StatusCode::BAD_REQUEST;
            if is_refused && String::from_utf8_lossy(&answer.body).contains("\"pointer\":\"\"") {
                refuse(answer, StatusCode::NOT_IMPLEMENTED, |problem| {
                    problem["code"] = json!("operation_unsupported");
                    problem["type"] = json!("urn:yoi:problem:operation_unsupported");
                    problem["operation"] = json!("workers.create");
                    problem["effect"] = json!("none");
                });
            }
        },
    );
    let report = report(way).await;
    let failed: Vec<&str> = report.failed().map(|one| &*one.name).collect();
    // Which looks at bodies that are no JSON, and the way takes these for keys.
    assert_eq!(failed, ["bodies.name_the_field_at_fault"]);
}

#[tokio::test]
async fn one_with_server_sent_events_alone() {
    let lists = info(without("events.ws"));
    let way = Tampered::both(
        |request| {
            let uri = request.uri.to_string();
            request.uri = uri.replace("/events/ws", "/events/none").parse().unwrap();
        },
        lists,
    );
    let report = report(way).await;
    nothing_failed(&report);
    let skipped: Vec<&str> = report.skipped().map(|one| &*one.name).collect();
    let expected =
        |name: &&str| name.starts_with("websocket.") || *name == "sse.has_the_same_frames";
    assert!(skipped.iter().all(expected), "{skipped:#?}");
    assert_eq!(skipped.len(), 7, "{skipped:#?}");
}

#[tokio::test]
async fn one_whose_lines_end_with_cr_and_lf_and_whose_fields_stand_otherwise() {
    let way = Tampered::answers(|answer| {
        if answer.path.ends_with("/events") && answer.response.status == StatusCode::OK {
            let text = String::from_utf8_lossy(&answer.body).replace('\n', "\r\n");
            answer.body = text.replace("data: {", "data: { ").into_bytes();
        }
    });
    let report = report(way).await;
    nothing_failed(&report);
}

#[tokio::test]
async fn one_that_takes_a_slash_for_one_of_the_path() {
    let way = Tampered::answers(|answer| {
        if answer.path.to_ascii_lowercase().contains("%2f") {
            refuse(answer, StatusCode::NOT_FOUND, |problem| {
                problem["code"] = json!("route_not_found");
                problem["type"] = json!("urn:yoi:problem:route_not_found");
            });
        }
    });
    let report = report(way).await;
    nothing_failed(&report);
}

#[tokio::test]
async fn one_that_keeps_no_seal() {
    let way = Tampered::answers(|answer| {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if text.contains("urn:yoi:problem:cursor_invalid") {
            answer.response.status = StatusCode::GONE;
            let text = text.replace("cursor_invalid", "cursor_unknown");
            answer.body = text
                .replace("\"status\":400", "\"status\":410")
                .into_bytes();
        }
    });
    let report = report(way).await;
    nothing_failed(&report);
}

#[tokio::test]
async fn one_that_publishes_the_six_limits_alone() {
    let way = Tampered::answers(info(|info| {
        let limits = info["limits"].as_object_mut();
        limits.into_iter().for_each(|all| {
            all.retain(|name, _| {
                name.starts_with("max_") && !name.contains("worker_") && name != "max_runs"
            });
        });
    }));
    let report = report(way).await;
    nothing_failed(&report);
}

#[tokio::test]
async fn one_whose_limits_are_as_large_as_can_be() {
    let way = Tampered::answers(info(|info| {
        let limits = info["limits"].as_object_mut();
        for (_, limit) in limits.into_iter().flatten() {
            *limit = json!(u64::MAX);
        }
    }));
    let report = report(way).await;
    nothing_failed(&report);
    let skipped = |name| matches!(report.outcome(name), Some(Outcome::Skipped { .. }));
    assert!(skipped("input.size_is_bounded") && skipped("bodies.are_bounded"));
}

#[tokio::test]
async fn one_with_room_for_little() {
    let few_workers = Limits {
        max_workers: 1,
        ..Limits::default()
    };
    let few_keys = Limits {
        max_idempotency_keys: 1,
        ..Limits::default()
    };
    for (name, limits) in [
        ("max_workers", few_workers),
        ("max_idempotency_keys", few_keys),
    ] {
        let runtime = runtime("gpu-1").limits(limits).start().await;
        let target = Target::new(runtime.url()).long_profile("lasting");
        let report = check(&target).await.unwrap();
        nothing_failed(&report);
        let reason = format!("the limit {name} is too low to check this");
        let told = Outcome::Skipped { reason };
        let told = report.skipped().filter(|one| one.outcome == told);
        assert!(told.count() > 3, "{report:#?}");
    }
}

#[tokio::test]
async fn workers_that_should_have_been_refused_are_stopped_too() {
    let runtime = runtime("gpu-1").start().await;
    let way = Tampered::requests(|request| {
        if request.method == Method::POST {
            let json = HeaderValue::from_static("application/json");
            request.headers.insert("content-type", json);
        }
    });
    let report = check(&Target::new(runtime.url()).transport(way))
        .await
        .unwrap();
    assert_eq!(
        (report.failed, &*report.left_behind),
        (1, &[][..]),
        "{report:#?}"
    );
    let query = ListQuery {
        status: Some(WorkerStatus::Idle),
        ..ListQuery::default()
    };
    let left = runtime.workers().list(&query, &Default::default()).await;
    assert_eq!(left.unwrap().value.workers, []);
}

#[tokio::test]
async fn workers_that_cannot_be_stopped_are_told() {
    let runtime = runtime("gpu-1").start().await;
    let way = Tampered::requests(|request| {
        let uri = request.uri.to_string();
        if let Some(path) = uri.strip_suffix("/stop") {
            request.uri = format!("{path}/stay").parse().unwrap();
        }
    });
    let report = check(&Target::new(runtime.url()).transport(way))
        .await
        .unwrap();
    let query = ListQuery {
        status: Some(WorkerStatus::Idle),
        limit: Some(1000),
        ..ListQuery::default()
    };
    let left = runtime.workers().list(&query, &Default::default()).await;
    for worker in left.unwrap().value.workers {
        assert!(report.left_behind.contains(&worker.worker_id), "{worker:?}");
    }
}
