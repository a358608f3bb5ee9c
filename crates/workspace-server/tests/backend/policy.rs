//! `visible`, `allow`, and a policy of one's own.

use std::sync::Arc;

use serde_json::json;
use yoi_protocol::Operation;
use yoi_workspace_server::{Backend, Decision, Policy, Question, Registration};

use crate::support::{Reply, Served, embedded};

/// An answer without what names the request.
fn anonymous(reply: &Reply, name: &str) -> String {
    let mut body = reply.body.clone();
    body["request_id"] = json!("-");
    let headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    format!("{} {headers:?} {body}", reply.status).replace(name, "NAME")
}

#[tokio::test]
async fn what_is_not_visible_answers_exactly_as_what_is_not_there() {
    let (runtime, _script) = embedded("veiled").await;
    let hidden = Registration::embedded(runtime.clone()).visible(false);
    let served = Served::over(hidden).await;
    runtime
        .create_worker(
            yoi_protocol::CreateWorker {
                worker_id: Some(yoi_protocol::WorkerId::parse("w-1").unwrap()),
                ..Default::default()
            },
            Default::default(),
        )
        .await
        .unwrap();
    let asked: [(&str, &str, Option<serde_json::Value>); 9] = [
        ("GET", "", None),
        ("GET", "/workers", None),
        ("POST", "/workers", Some(json!({"worker_id": "w-1"}))),
        ("POST", "/workers", Some(json!({"labels": 7}))),
        ("GET", "/workers/w-1", None),
        ("POST", "/workers/w-1/input", Some(json!({"content": "x"}))),
        ("POST", "/workers/w-1/cancel", None),
        ("POST", "/workers/w-1/stop", None),
        ("GET", "/workers/w-1/transcript", None),
    ];
    for (method, path, body) in asked {
        let mut answers = Vec::new();
        for runtime in ["veiled", "absent"] {
            let path = format!("/api/runtimes/{runtime}{path}");
            let reply = served.ask(method, &path, &[], body.as_ref()).await;
            answers.push(anonymous(&reply, runtime).replace(r#""content-length: "129""#, ""));
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    for runtime in ["veiled", "absent"] {
        let path = format!("/api/runtimes/{runtime}/workers/w-1");
        let mut watcher = served.watch(&path, "").await;
        assert_eq!(
            watcher.end().await,
            (Some("runtime_not_found".into()), 4404)
        );
    }
    assert_eq!(
        served.get("/api/runtimes").await.body,
        json!({"runtimes": []})
    );
    let sweep = served.get("/api/workers").await;
    assert_eq!(sweep.body, json!({"workers": [], "incomplete": []}));
}

#[tokio::test]
async fn an_operation_that_is_not_allowed_is_denied_by_name() {
    let (runtime, _script) = embedded("inside").await;
    let only = Some(vec![Operation::CreateWorker]);
    let served = Served::over(Registration::embedded(runtime).allow(only)).await;
    let path = served.create("inside", "w-1").await;
    for (method, suffix, operation, effect) in [
        ("GET", "", "workers.get", "-"),
        ("GET", "/transcript", "workers.transcript", "-"),
        ("POST", "/cancel", "workers.cancel", "none"),
        ("POST", "/stop", "workers.stop", "none"),
    ] {
        let reply = served
            .ask(method, &format!("{path}{suffix}"), &[], None)
            .await;
        assert_eq!(
            reply.brief(),
            format!("403 operation_denied backend {effect}")
        );
        assert_eq!(reply.body["operation"], operation);
    }
    let mut watcher = served.watch(&path, "").await;
    assert_eq!(watcher.end().await, (Some("operation_denied".into()), 4403));
    assert_eq!(
        served.get("/api/runtimes/inside").await.status,
        200,
        "it is seen"
    );
    let sweep = served.get("/api/workers").await;
    assert_eq!(
        sweep.body["incomplete"],
        json!([{"runtime_id": "inside", "code": "operation_denied"}])
    );
}

struct HidesOne;

impl Policy for HidesOne {
    fn decide(&self, question: &Question<'_>) -> Decision {
        match question.worker_id {
            Some(worker) if worker.as_str() == "w-hidden" => Decision::Hide,
            Some(_) | None => Decision::Allow,
        }
    }
}

async fn hiding_one() -> (Served, worker_runtime::Runtime) {
    let (runtime, _script) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(runtime.clone()))
        .policy(Arc::new(HidesOne));
    (Served::start(builder).await, runtime)
}

async fn made(runtime: &worker_runtime::Runtime, worker: &str) {
    let body = yoi_protocol::CreateWorker {
        worker_id: Some(yoi_protocol::WorkerId::parse(worker).unwrap()),
        ..Default::default()
    };
    runtime
        .create_worker(body, Default::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_hidden_worker_answers_as_one_that_is_not_there() {
    let (served, runtime) = hiding_one().await;
    made(&runtime, "w-hidden").await;
    for (method, suffix, body) in [
        ("GET", "", None),
        ("GET", "/transcript", None),
        ("POST", "/input", Some(json!({"content": "x"}))),
        ("POST", "/cancel", None),
        ("POST", "/stop", None),
        ("GET", "/events", None),
    ] {
        let mut answers = Vec::new();
        for worker in ["w-hidden", "w-absent"] {
            let path = format!("/api/runtimes/inside/workers/{worker}{suffix}");
            let reply = served.ask(method, &path, &[], body.as_ref()).await;
            answers.push(anonymous(&reply, worker) + &reply.text.replace(worker, "NAME"));
        }
        let [hidden, absent] = [&answers[0], &answers[1]].map(|answer| without_request(answer));
        assert_eq!(hidden, absent, "{method} {suffix}");
    }
    let mut ends = Vec::new();
    for worker in ["w-hidden", "w-absent"] {
        let path = format!("/api/runtimes/inside/workers/{worker}");
        ends.push(served.watch(&path, "").await.end().await);
    }
    assert_eq!(ends[0], (Some("worker_not_found".into()), 4404));
    assert_eq!(ends[0], ends[1]);
    let there = runtime
        .get_worker(&yoi_protocol::WorkerId::parse("w-hidden").unwrap())
        .await;
    assert!(there.is_ok(), "nothing was done to it: {there:?}");
}

/// A text without the ids of requests.
fn without_request(text: &str) -> String {
    let mut parts = text.split("\"request_id\":\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| {
        whole + part.split_once('"').map_or("", |(_, rest)| rest)
    })
}

#[tokio::test]
async fn no_list_holds_or_counts_a_hidden_worker() {
    let (served, runtime) = hiding_one().await;
    for worker in ["w-a", "w-b", "w-hidden", "w-x", "w-y"] {
        made(&runtime, worker).await;
    }
    for list in ["/api/runtimes/inside/workers", "/api/workers"] {
        for limit in [1, 2, 3, 4, 100] {
            let (mut seen, mut pages, mut page) = (Vec::new(), Vec::new(), String::new());
            loop {
                let reply = served.get(&format!("{list}?limit={limit}{page}")).await;
                let workers = reply.body["workers"].as_array().unwrap().clone();
                pages.push(workers.len());
                seen.extend(
                    workers
                        .into_iter()
                        .map(|worker| worker["worker_id"].clone()),
                );
                match reply.body["next_page"].as_str() {
                    Some(next) => page = format!("&page={next}"),
                    None => break,
                }
            }
            assert_eq!(
                json!(seen),
                json!(["w-a", "w-b", "w-x", "w-y"]),
                "{list} {limit}"
            );
            let full = pages.iter().rev().skip(1).all(|count| *count == limit);
            assert!(full, "a page has a hole: {list} by {limit}: {pages:?}");
        }
    }
}

#[tokio::test]
async fn a_create_does_not_tell_whether_a_hidden_worker_is_there() {
    let (served, runtime) = hiding_one().await;
    let create = async || {
        let body = json!({"worker_id": "w-hidden"});
        let reply = served.post("/api/runtimes/inside/workers", body).await;
        assert_eq!(reply.brief(), "403 operation_denied backend none");
        anonymous(&reply, "w-hidden")
    };
    let before = create().await;
    let list = runtime.list_workers(&Default::default()).await.unwrap();
    assert!(list.workers.is_empty(), "nothing was made");
    made(&runtime, "w-hidden").await;
    assert_eq!(create().await, before);
    served.create("inside", "w-seen").await;
}
