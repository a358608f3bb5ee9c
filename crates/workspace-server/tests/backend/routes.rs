use std::collections::BTreeSet;

use yoi_workspace_server::{Backend, table};

use crate::answers::assert_kept;
use crate::support::Served;

#[tokio::test]
async fn the_router_serves_the_table_and_nothing_else() {
    let served = Served::start(Backend::builder()).await;
    for (method, path) in table().entries() {
        let path = path
            .replace("{runtime_id}", "r")
            .replace("{worker_id}", "w");
        let reply = served.ask(method.as_str(), &path, &[], None).await;
        assert_ne!(reply.body["code"], "route_not_found", "{method} {path}");
        assert_ne!(reply.body["code"], "method_not_allowed", "{method} {path}");
        let other = served.ask("DELETE", &path, &[], None).await;
        assert_eq!(other.brief(), "405 method_not_allowed backend -", "{path}");
        assert!(other.headers.contains_key("allow"), "{path}");
    }
    for path in ["/", "/api", "/v1/workers", "/api/runtimes/", "/api/nothing"] {
        assert_eq!(
            served.get(path).await.brief(),
            "404 route_not_found backend -",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_table_has_every_route_of_the_contract_but_the_session() {
    let paths: BTreeSet<_> = table()
        .entries()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let worker = "/api/runtimes/{runtime_id}/workers/{worker_id}";
    let expected = [
        "GET /api/runtimes".to_owned(),
        "GET /api/runtimes/{runtime_id}".to_owned(),
        "GET /api/workers".to_owned(),
        "GET /api/runtimes/{runtime_id}/workers".to_owned(),
        "POST /api/runtimes/{runtime_id}/workers".to_owned(),
        format!("GET {worker}"),
        format!("POST {worker}/input"),
        format!("POST {worker}/cancel"),
        format!("POST {worker}/stop"),
        format!("GET {worker}/transcript"),
        format!("GET {worker}/events/ws"),
        format!("GET {worker}/events"),
        "GET /api/openapi.json".to_owned(),
        "GET /healthz".to_owned(),
        "GET /readyz".to_owned(),
        "GET /metrics".to_owned(),
    ];
    assert_eq!(paths, expected.into_iter().collect());
}

#[tokio::test]
async fn the_openapi_document_is_what_it_was() {
    let served = Served::start(Backend::builder()).await;
    let reply = served.get("/api/openapi.json").await;
    assert_eq!(reply.status, 200);
    assert_kept!("backend_openapi", reply.body);
}

#[test]
fn everything_of_the_api_takes_a_deadline_and_names_the_request() {
    let document = yoi_workspace_server::document();
    let in_api = |path: &str| path.starts_with("/api/") && path != "/api/openapi.json";
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let params = route["parameters"].as_array();
            let takes_a_deadline = params
                .is_some_and(|params| params.iter().any(|one| one["name"] == "yoi-deadline-ms"));
            assert_eq!(takes_a_deadline, in_api(path), "{method} {path}");
            for (status, answer) in route["responses"].as_object().unwrap() {
                let named = answer["headers"].get("x-request-id").is_some();
                assert!(named, "{method} {path}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let served = Served::start(Backend::builder()).await;
    let mine = served
        .ask("GET", "/api/runtimes", &[("x-request-id", "mine-1")], None)
        .await;
    assert_eq!(mine.headers["x-request-id"], "mine-1");
    let refused = served.get("/api/runtimes/none").await;
    let given = refused.headers["x-request-id"].to_str().unwrap();
    assert_eq!(refused.body["request_id"], given);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
}
