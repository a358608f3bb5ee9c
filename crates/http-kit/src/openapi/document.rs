//! The OpenAPI document of a table of routes.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Map, Value, json};
use yoi_protocol::{Code, Problem, header};

use super::headers;
use super::route::{Content, ParamDoc, ParamKind, RouteDoc, TypeDoc};
use super::table::RouteTable;
use crate::rejection::status_of;

/// What stands at the head of a document.
#[derive(Debug, Clone, Copy)]
pub struct DocumentInfo {
    /// The name of the API.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The version of the contract.
    pub version: &'static str,
}

/// What any route behind the edge may answer with.
const EVERYWHERE: &[Code] = &[
    Code::Unauthorized,
    Code::ForbiddenOrigin,
    Code::LimitReached,
    Code::Internal,
];

/// What every request to a Runtime may carry.
const ADDRESSEE: ParamDoc = ParamDoc {
    place: "header",
    name: header::RUNTIME_ID,
    kind: ParamKind::Text,
    description: "The Runtime that the request is for: another one refuses it",
};

impl RouteTable {
    /// The document, OpenAPI 3.1, as JSON.
    ///
    /// Deterministic: the same table gives the same document, with its keys in order.
    #[must_use]
    pub fn document(&self, info: DocumentInfo) -> Value {
        let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for route in &*self.routes {
            paths.entry(route.path).or_default().insert(
                route.method.as_str().to_ascii_lowercase(),
                self.described(route),
            );
        }
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": info.title,
                "description": info.description,
                "version": info.version,
                "license": { "name": "MIT", "identifier": "MIT" },
            },
            "security": [{ "bearer": [] }, {}],
            "paths": paths,
            "components": {
                "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
                "headers": headers::components(self.names_source),
                "schemas": self.schemas(),
            },
        })
    }

    fn schemas(&self) -> BTreeMap<String, Value> {
        let mut all: BTreeMap<String, Value> = BTreeMap::new();
        let mut add = |types: &TypeDoc| all.extend(types.schemas.iter().cloned());
        add(&TypeDoc::of::<Problem>());
        self.extra.iter().for_each(&mut add);
        for route in &*self.routes {
            route.body.iter().for_each(|(types, _)| add(types));
            for answer in &route.answers {
                if let Content::Json(types) = &answer.content {
                    add(types);
                }
            }
        }
        all
    }

    fn described(&self, route: &RouteDoc) -> Value {
        let mut described = json!({
            "operationId": route.id,
            "summary": route.summary,
            "responses": self.responses(route),
        });
        let params: Vec<Value> = path_params(route.path)
            .chain(route.params.iter().map(param))
            .chain(self.names_source.then(|| param(&ADDRESSEE)))
            .collect();
        if !params.is_empty() {
            described["parameters"] = Value::Array(params);
        }
        if let Some((types, required)) = &route.body {
            let schema = if *required {
                reference(types)
            } else {
                json!({ "anyOf": [reference(types), { "type": "null" }] })
            };
            described["requestBody"] = json!({
                "required": required,
                "content": { "application/json": { "schema": schema } },
            });
        }
        if let Some(operation) = route.operation {
            described["x-yoi-operation"] = json!(operation.as_str());
        }
        if route.open {
            described["security"] = json!([]);
        }
        described
    }

    fn responses(&self, route: &RouteDoc) -> Map<String, Value> {
        let mut all = Map::new();
        for answer in &route.answers {
            let mut described = json!({
                "description": answer.description,
                "headers": self.headers(route, answer.status),
            });
            match &answer.content {
                Content::Json(types) => {
                    described["content"] =
                        json!({ "application/json": { "schema": reference(types) } });
                }
                Content::Other(kind) => described["content"] = json!({ *kind: {} }),
                Content::Nothing => {}
            }
            all.insert(answer.status.as_u16().to_string(), described);
        }
        for (status, codes) in self.problems(route) {
            let mut described = problem(status, &codes);
            described["headers"] = self.headers(route, status).into();
            all.insert(status.as_u16().to_string(), described);
        }
        all
    }

    /// The codes of the problems that a route may answer with, by their status.
    fn problems(&self, route: &RouteDoc) -> BTreeMap<StatusCode, Vec<&'static str>> {
        let mut by_status: BTreeMap<StatusCode, Vec<&str>> = BTreeMap::new();
        for code in self.codes(route) {
            by_status
                .entry(status_of(code))
                .or_default()
                .push(code.as_str());
        }
        by_status
    }

    /// Every code that a route may answer with.
    pub(super) fn codes(&self, route: &RouteDoc) -> BTreeSet<Code> {
        let everywhere: &[Code] = if route.open {
            &[Code::ForbiddenOrigin]
        } else {
            EVERYWHERE
        };
        let misdirected = self.names_source.then_some(Code::MisdirectedRequest);
        // Who takes nothing can be given nothing wrong.
        let takes_something = !route.params.is_empty() || route.body.is_some();
        let invalid = takes_something.then_some(Code::InvalidRequest);
        let own = route.codes.iter().copied();
        let common = everywhere.iter().copied().chain(misdirected).chain(invalid);
        common.chain(own).collect()
    }

    fn headers(&self, route: &RouteDoc, status: StatusCode) -> Map<String, Value> {
        headers::of_answer(status, route.operation, self.names_source)
    }
}

fn path_params(path: &str) -> impl Iterator<Item = Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" },
            })
        })
}

fn param(param: &ParamDoc) -> Value {
    let schema = match param.kind {
        ParamKind::Text => json!({ "type": "string" }),
        ParamKind::Matching(pattern) => json!({ "type": "string", "pattern": pattern }),
        ParamKind::Between(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        ParamKind::Number => json!({ "type": "integer", "minimum": 0 }),
        ParamKind::OneOf(values) => json!({ "type": "string", "enum": values }),
    };
    json!({
        "name": param.name, "in": param.place, "required": false,
        "description": param.description, "schema": schema,
    })
}

fn problem(status: StatusCode, codes: &[&str]) -> Value {
    let reason = status.canonical_reason().unwrap_or("Problem");
    let schema = json!({
        "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "properties": { "code": { "enum": codes } } },
        ],
    });
    json!({
        "description": format!("{reason}: {}", codes.join(", ")),
        "content": { Problem::CONTENT_TYPE: { "schema": schema } },
    })
}

fn reference(types: &TypeDoc) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", types.name) })
}
