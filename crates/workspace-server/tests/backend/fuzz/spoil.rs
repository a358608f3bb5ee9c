//! A text that was well, and is not any more.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// What is a surprise wherever it stands.
const SURPRISES: &[&str] = &[
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "=",
    "#",
    "\n",
    "\u{0}",
    "\u{202e}",
    "\u{1F980}",
    "null",
    "-1",
    "0",
    "1e400",
    "18446744073709551616",
    "..",
    "%2e",
    "\r\n",
];

/// Spoils a text in a place or a few.
pub(super) fn text(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=rng.u8(..3) {
        let at = rng.usize(..=chars.len());
        let to = rng.usize(at..=chars.len().min(at + 16));
        match rng.u8(..4) {
            0 => drop(chars.drain(at..to)),
            1 => {
                let again: Vec<char> = chars[at..to].to_vec();
                chars.splice(at..at, again);
            }
            2 => {
                let surprise = SURPRISES[rng.usize(..SURPRISES.len())];
                chars.splice(at..to, surprise.chars());
            }
            _ => {
                if let Some(one) = chars.get_mut(at) {
                    *one = rng.char('!'..='~');
                }
            }
        }
    }
    chars.into_iter().collect()
}

/// Spoils JSON so that it stays JSON, or else as any text.
pub(super) fn json(rng: &mut Rng, text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) if rng.u8(..4) > 0 => {
            let mut left = rng.usize(..count(&value));
            at(rng, &mut value, &mut left);
            value.to_string()
        }
        Ok(_) | Err(_) => self::text(rng, text),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Spoils the value that comes after so many others; whether it was reached.
fn at(rng: &mut Rng, value: &mut Value, left: &mut usize) -> bool {
    if *left == 0 {
        *value = other(rng, value);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| at(rng, item, left)),
        Value::Object(fields) => fields.values_mut().any(|field| at(rng, field, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn other(rng: &mut Rng, value: &Value) -> Value {
    match (rng.u8(..10), value) {
        (0..4, Value::String(text)) => Value::String(self::text(rng, text)),
        (0..4, Value::Number(number)) => {
            let number = number.as_i64().unwrap_or(0);
            json!(number.wrapping_add(rng.i64(-2..=2)))
        }
        (0..4, Value::Object(fields)) => Value::Object(without_one(rng, fields)),
        (0..4, Value::Array(items)) => {
            let twice = items.iter().chain(items).cloned();
            twice.take(rng.usize(..=items.len() * 2)).collect()
        }
        (4, _) => json!(u64::MAX),
        (5, _) => json!(-1),
        (6, _) => json!(""),
        (7, _) => json!({"type": "x_other"}),
        (8, _) => json!("x".repeat(rng.usize(..2000))),
        _ => Value::Null,
    }
}

/// Without a field, or with its value under another name.
fn without_one(rng: &mut Rng, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    let names: Vec<String> = fields.keys().cloned().collect();
    let Some(name) = rng.choice(names) else {
        return fields;
    };
    if let Some(value) = fields.remove(&name)
        && rng.bool()
    {
        fields.insert(text(rng, &name), value);
    }
    fields
}
