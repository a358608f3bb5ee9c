//! Holds every answer to the OpenAPI document.

use std::sync::LazyLock;

use serde_json::Value;

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(worker_runtime::http::document);

/// What HTTP, and what stands on its way, needs to know: no document tells of it.
const OF_HTTP: [&str; 11] = [
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
    "upgrade",
    "vary",
    "allow",
    "www-authenticate",
    "x-accel-buffering",
];

/// Fails when a route answers with a status or a header, or a problem with a code, that the
/// document does not tell of. Paths and methods that no route takes are not in it.
pub(crate) fn assert_documented(method: &str, path: &str, answer: &Answer) {
    let Some(route) = route(method, path) else {
        return;
    };
    let status = answer.status.as_u16().to_string();
    let response = &route["responses"][&status];
    assert!(
        response.is_object(),
        "{method} {path}: {status} is not documented"
    );
    for name in answer.headers.keys().map(|name| name.as_str()) {
        assert!(
            OF_HTTP.contains(&name) || response["headers"].get(name).is_some(),
            "{method} {path}: {name} of {status} is not documented"
        );
    }
    let kinds = &response["content"];
    let kind = answer.header("content-type").split(';').next().unwrap();
    assert!(
        kinds.is_null() || kinds.get(kind).is_some(),
        "{method} {path}: {status} as {kind:?} is not documented"
    );
    if kind == "application/problem+json" {
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        let codes = &kinds[kind]["schema"]["allOf"][1]["properties"]["code"]["enum"];
        let codes = codes.as_array().unwrap();
        assert!(
            codes.contains(&problem["code"]),
            "{method} {path}: {problem} is not documented"
        );
    }
}

fn route(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let (_, methods) = paths.iter().find(|(template, _)| fits(template, path))?;
    methods.get(method.to_ascii_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, found)| {
            expected == found || (expected.starts_with('{') && !found.is_empty())
        })
}
