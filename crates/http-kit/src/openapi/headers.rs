//! The headers that answers have, whoever gives them: those that the edge puts on, and those that
//! go with a status.

use http::StatusCode;
use serde_json::{Map, Value, json};
use yoi_protocol::{Operation, header};

/// One header of answers: its name, and whether it is always there.
struct HeaderDoc {
    name: &'static str,
    always: bool,
    schema: fn() -> Value,
    description: &'static str,
}

fn text() -> Value {
    json!({ "type": "string" })
}

const REQUEST_ID: HeaderDoc = HeaderDoc {
    name: header::REQUEST_ID,
    always: true,
    schema: text,
    description: "The request, across hops and in the log: the caller's own name for it when that was well-formed",
};
const RUNTIME_ID: HeaderDoc = HeaderDoc {
    name: header::RUNTIME_ID,
    always: true,
    schema: text,
    description: "The Runtime that answers",
};
const BOOT_ID: HeaderDoc = HeaderDoc {
    name: header::BOOT_ID,
    always: true,
    schema: text,
    description: "Which start of the Runtime answers",
};
const LOCATION: HeaderDoc = HeaderDoc {
    name: "location",
    always: true,
    schema: text,
    description: "The path of what was created",
};
const REPLAYED: HeaderDoc = HeaderDoc {
    name: header::IDEMPOTENCY_REPLAYED,
    always: false,
    schema: || json!({ "const": "true" }),
    description: "This is the recorded answer to an earlier request with the same key",
};
const RETRY_AFTER: HeaderDoc = HeaderDoc {
    name: "retry-after",
    always: false,
    schema: || json!({ "type": "integer", "minimum": 0 }),
    description: "When to try again, in seconds: retry_after_ms, rounded up",
};
/// What every answer has.
const EVERYWHERE: &[&HeaderDoc] = &[&REQUEST_ID];
/// What every answer of a Runtime has, too.
const SOURCE: &[&HeaderDoc] = &[&RUNTIME_ID, &BOOT_ID];

fn of_server(names_source: bool) -> impl Iterator<Item = &'static HeaderDoc> {
    let source = if names_source { SOURCE } else { &[] };
    EVERYWHERE.iter().chain(source).copied()
}

/// All that a server has, for the document to refer to.
pub(super) fn components(names_source: bool) -> Map<String, Value> {
    let described = |one: &HeaderDoc| {
        json!({
            "required": one.always, "description": one.description, "schema": (one.schema)(),
        })
    };
    of_server(names_source)
        .chain([&LOCATION, &REPLAYED, &RETRY_AFTER])
        .map(|one| (one.name.to_owned(), described(one)))
        .collect()
}

/// The headers of an answer with this status.
pub(super) fn of_answer(
    status: StatusCode,
    operation: Option<Operation>,
    names_source: bool,
) -> Map<String, Value> {
    let mut found: Vec<&HeaderDoc> = of_server(names_source).collect();
    if status == StatusCode::CREATED {
        found.push(&LOCATION);
    }
    if status.is_success() && operation.is_some_and(Operation::is_command) {
        found.push(&REPLAYED);
    }
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        found.push(&RETRY_AFTER);
    }
    let reference =
        |one: &HeaderDoc| json!({ "$ref": format!("#/components/headers/{}", one.name) });
    found
        .into_iter()
        .map(|one| (one.name.to_owned(), reference(one)))
        .collect()
}
