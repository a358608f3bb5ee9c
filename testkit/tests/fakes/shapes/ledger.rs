//! What was compared, and what differs.

use std::collections::BTreeSet;

use serde_json::Value;
use yoi_testkit::fixtures;

/// Fields whose text is one of a closed set, so that it belongs to the shape.
const WORDS: &[&str] = &[
    "api_version",
    "capabilities[]",
    "code",
    "effect",
    "kind",
    "limit",
    "operation",
    "origin",
    "outcome",
    "phase",
    "pointer",
    "role",
    "severity",
    "source",
    "state",
    "status",
    "title",
    "type",
];

/// What was compared so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    compared: BTreeSet<String>,
    faults: Vec<String>,
}

impl Ledger {
    /// Holds what a server says against the fixture that depicts it.
    pub(super) fn compare(&mut self, name: &str, real: &Value) {
        let depicted = shape(&fixtures::get(name).json());
        let real = shape(real);
        for only in depicted.difference(&real) {
            self.faults
                .push(format!("{name}: only the fixture has `{only}`"));
        }
        for only in real.difference(&depicted) {
            self.faults
                .push(format!("{name}: only the server says `{only}`"));
        }
        self.compared.insert(name.to_owned());
    }

    /// Something was sent as the fixture has it, and taken.
    pub(super) fn taken(&mut self, name: &str) -> Value {
        self.compared.insert(name.to_owned());
        fixtures::get(name).json()
    }

    pub(super) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.compared.contains(name)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.compared.extend(other.compared);
        self.faults.extend(other.faults);
    }

    pub(super) fn told(&self) -> String {
        self.faults.join("\n")
    }

    /// Fails when anything differs, with all that does.
    pub(super) fn check(&self) {
        assert!(self.faults.is_empty(), "{}", self.told());
    }
}

/// Every path of a JSON with the kind of what is there, and its text where that is of a closed set.
/// The items of a list count as one.
fn shape(json: &Value) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    gather(json, String::new(), &mut shape);
    shape
}

fn gather(json: &Value, path: String, shape: &mut BTreeSet<String>) {
    let kind = match json {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                gather(item, format!("{path}[]"), shape);
            }
            "list"
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = match path.is_empty() {
                    true => name.clone(),
                    false => format!("{path}.{name}"),
                };
                gather(value, path, shape);
            }
            "object"
        }
    };
    let last = path.rsplit('.').next().unwrap_or_default();
    match json.as_str().filter(|_| WORDS.contains(&last)) {
        Some(word) => shape.insert(format!("{path} = {word}")),
        None => shape.insert(format!("{path}: {kind}")),
    };
}

/// The frames of a whole body of server-sent events, in their order.
pub(super) fn frames(body: &str) -> Vec<Value> {
    let lines = body.lines().filter_map(|line| line.strip_prefix("data:"));
    lines
        .map(|line| serde_json::from_str(line.trim_start()).expect("a frame is JSON"))
        .collect()
}
