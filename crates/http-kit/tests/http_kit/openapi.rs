//! The document that follows from a table of routes.

use serde_json::Value;
use yoi_http_kit::{DocumentInfo, DocumentedRoute, RouteDoc, RouteTable};
use yoi_protocol::{Code, Frame, Operation};

use crate::support::table;

fn document(table: &RouteTable) -> Value {
    table.document(DocumentInfo {
        title: "Notes",
        description: "For tests.",
        version: "v1",
    })
}

/// Every `$ref` of a document.
pub(crate) fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" => found.push(target.clone()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document(&table().with_type::<Frame>());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.contains(&"#/components/schemas/Note".to_owned()));
    assert!(found.contains(&"#/components/schemas/Tag".to_owned()));
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{target} leads nowhere"
        );
    }
}

#[test]
fn a_route_says_what_it_takes_and_how_it_answers() {
    let document = document(&table());
    assert_eq!(document["openapi"], "3.1.0");
    let write = &document["paths"]["/notes/{worker_id}"]["post"];
    assert_eq!(write["operationId"], "writeNote");
    assert_eq!(write["x-yoi-operation"], "workers.create");
    assert_eq!(write["requestBody"]["required"], true);
    assert_eq!(write["parameters"][0]["name"], "worker_id");
    assert_eq!(write["parameters"][0]["in"], "path");
    assert!(write["responses"]["201"].is_object());
    let unauthorized = &write["responses"]["401"];
    assert_eq!(unauthorized["description"], "Unauthorized: unauthorized");
    let read = &document["paths"]["/notes/{worker_id}"]["get"];
    assert!(read["responses"]["404"]["content"]["application/problem+json"].is_object());
}

#[test]
fn an_answer_says_which_headers_it_has() {
    let document = document(&table().naming_the_source());
    let write = &document["paths"]["/notes/{worker_id}"]["post"];
    let headers = |status: &str| -> Vec<&str> {
        let headers = write["responses"][status]["headers"].as_object().unwrap();
        headers.keys().map(String::as_str).collect()
    };
    let everywhere = ["x-request-id", "yoi-boot-id", "yoi-runtime-id"];
    assert_eq!(
        headers("201"),
        [&["idempotency-replayed", "location"], &everywhere[..]].concat()
    );
    assert_eq!(headers("401"), everywhere);
    assert_eq!(headers("429"), [&["retry-after"], &everywhere[..]].concat());
    assert!(write["responses"]["421"].is_object());
    let params = write["parameters"].as_array().unwrap();
    let named = |name: &str| params.iter().any(|param| param["name"] == name);
    assert!(named("yoi-runtime-id"));
}

#[test]
fn the_same_table_gives_the_same_document() {
    assert_eq!(
        document(&table()).to_string(),
        document(&table()).to_string()
    );
}

#[test]
fn a_table_knows_the_operation_of_a_request() {
    let table = table();
    let operation = |method: &str, path| table.operation(&method.parse().unwrap(), path);
    assert_eq!(
        operation("POST", "/notes/{worker_id}"),
        Some(Operation::CreateWorker)
    );
    assert_eq!(
        operation("GET", "/notes/{worker_id}"),
        Some(Operation::GetWorker)
    );
    assert_eq!(
        operation("HEAD", "/notes/{worker_id}"),
        Some(Operation::GetWorker)
    );
    assert_eq!(operation("DELETE", "/notes/{worker_id}"), None);
    assert_eq!(operation("GET", "/nowhere"), None);
}

#[test]
fn what_a_route_is_documented_to_answer_is_what_its_document_says() {
    let table = table().naming_the_source();
    let document = document(&table);
    let mut told = 0;
    for route in table.documented() {
        let method = route.method.as_str().to_ascii_lowercase();
        let responses = &document["paths"][route.path][&method]["responses"];
        let mut expected: Vec<String> = Vec::new();
        for (status, answer) in responses.as_object().unwrap() {
            let problem = &answer["content"]["application/problem+json"]["schema"]["allOf"][1];
            match problem["properties"]["code"]["enum"].as_array() {
                Some(codes) => {
                    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
                    expected.extend(codes);
                }
                None => expected.push(status.clone()),
            }
        }
        let mut found: Vec<String> = route
            .successes
            .iter()
            .map(|one| one.as_str().into())
            .collect();
        found.extend(route.codes.iter().map(|code| code.to_string()));
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{method} {}", route.path);
        told += found.len();
    }
    assert!(told > 0);
}

#[test]
fn only_what_takes_something_can_be_given_something_wrong() {
    let ask = RouteDoc::get("/ask", "ask", "Takes nothing");
    let tell = RouteDoc::get("/tell", "tell", "Takes a deadline").deadline();
    let table = RouteTable::new(vec![ask, tell]);
    let takes_wrong = |route: DocumentedRoute| route.codes.contains(&Code::InvalidRequest);
    assert_eq!(
        table.documented().map(takes_wrong).collect::<Vec<_>>(),
        [false, true]
    );
}
