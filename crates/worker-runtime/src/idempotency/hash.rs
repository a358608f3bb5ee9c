//! What a key is scoped to, and when two bodies are the same.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use yoi_protocol::{IdempotencyKey, Operation, WorkerId};

use crate::error::RuntimeError;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// A key in its scope: the operation, and the Worker where there is one.
pub(crate) fn hash_key(
    operation: Operation,
    worker_id: Option<&WorkerId>,
    key: &IdempotencyKey,
) -> Hash {
    let mut hasher = Sha256::new();
    let worker_id = worker_id.map_or("", WorkerId::as_str);
    for part in [operation.as_str(), worker_id, key.as_str()] {
        // With their lengths, so that no two scopes run together.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// A body as it was parsed: spelling, order and unknown fields make no difference.
pub(crate) fn hash_body<T: Serialize>(body: &T) -> Result<Hash, RuntimeError> {
    let value = serde_json::to_value(body).map_err(|_| RuntimeError::Internal)?;
    let mut text = String::new();
    write_sorted(&value, &mut text);
    Ok(Sha256::digest(text).into())
}

/// JSON with the fields of every object in order, whatever order the map itself keeps.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, value) in fields {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}
