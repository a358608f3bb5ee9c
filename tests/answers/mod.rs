//! Answers on their way into a snapshot, shared by the tests of both servers; and what the
//! committed ones show.
//!
//! Each answer stands under the name of its cause, with the requests that got it, its status, the
//! headers that the contract gives a meaning, and its body or its frames. Requests that got the
//! same answer from the same cause stand together, so that a reviewer reads each answer once.

#![allow(dead_code, unused_imports, reason = "each kind of tests uses its part")]

mod coverage;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::{Map, Value, json};

pub(crate) use coverage::Shown;

/// The headers that the contract gives a meaning, and those that keep a stream alive on its way.
pub(crate) const HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "content-type",
    "idempotency-replayed",
    "location",
    "retry-after",
    "www-authenticate",
    "x-accel-buffering",
    "x-request-id",
    "yoi-boot-id",
    "yoi-runtime-id",
];

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Map<String, Value>,
    /// JSON, or text, or the events of an event stream; `null` when there is none.
    pub(crate) body: Value,
    /// What came over a WebSocket, and the code that closed it.
    pub(crate) stream: Option<(Vec<Value>, u16)>,
}

impl Told {
    /// An answer as it came, before anything is taken out of it.
    pub(crate) fn new<'a>(
        status: u16,
        header: impl Fn(&str) -> Option<&'a str>,
        body: &str,
    ) -> Self {
        let headers: Map<String, Value> = HEADERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), json!(header(name)?))))
            .collect();
        let body = match headers.get("content-type").and_then(Value::as_str) {
            Some("text/event-stream") => events(body),
            _ if body.is_empty() => Value::Null,
            _ => serde_json::from_str(body).unwrap_or(json!(body)),
        };
        Self {
            status,
            headers,
            body,
            stream: None,
        }
    }

    /// An upgrade, and all that came until the close.
    pub(crate) fn stream(frames: Vec<Value>, close: u16) -> Self {
        Self {
            status: 101,
            headers: Map::new(),
            body: Value::Null,
            stream: Some((frames, close)),
        }
    }
}

/// The events of an event stream, each with its id where it has one.
fn events(text: &str) -> Value {
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    let parsed = events.map(|event| {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let data = field("data: ").unwrap_or_else(|| panic!("no data in {event:?}"));
        let data: Value = serde_json::from_str(data).unwrap();
        match field("id: ") {
            Some(id) => json!({ "id": id, "data": data }),
            None => json!({ "data": data }),
        }
    });
    parsed.collect()
}

/// Answers by their cause, in the order in which they were told.
#[derive(Debug, Default)]
pub(crate) struct Book(Vec<(String, Vec<Entry>)>);

#[derive(Debug)]
struct Entry {
    requests: Vec<String>,
    told: Told,
}

impl Book {
    /// What `request` (its method and path) was answered because of `cause`.
    pub(crate) fn tell(&mut self, cause: &str, request: String, told: Told) {
        let found = self.0.iter().position(|(name, _)| name == cause);
        let at = found.unwrap_or_else(|| {
            self.0.push((cause.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        let entries = &mut self.0[at].1;
        match entries.iter_mut().find(|entry| entry.told == told) {
            Some(entry) => entry.requests.push(request),
            None => entries.push(Entry {
                requests: vec![request],
                told,
            }),
        }
    }
}

impl Serialize for Book {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut book = to.serialize_map(Some(self.0.len()))?;
        for (cause, entries) in &self.0 {
            match entries.as_slice() {
                [only] => book.serialize_entry(cause, only)?,
                several => book.serialize_entry(cause, several)?,
            }
        }
        book.end()
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Told {
            status,
            headers,
            body,
            stream,
        } = &self.told;
        let mut entry = to.serialize_struct("Entry", 6)?;
        match self.requests.as_slice() {
            [only] => entry.serialize_field("request", only)?,
            several => entry.serialize_field("requests", several)?,
        }
        entry.serialize_field("status", status)?;
        if !headers.is_empty() {
            entry.serialize_field("headers", headers)?;
        }
        if !body.is_null() {
            entry.serialize_field("body", body)?;
        }
        if let Some((frames, close)) = stream {
            entry.serialize_field("frames", frames)?;
            entry.serialize_field("close", close)?;
        }
        entry.end()
    }
}

/// Holds a [`Book`], or anything else that is JSON, to the snapshot of this name.
macro_rules! assert_kept {
    ($name:literal, $book:expr) => {
        insta::with_settings!({
            snapshot_path => "../../../../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_json_snapshot!($name, $book);
        })
    };
}
pub(crate) use assert_kept;
