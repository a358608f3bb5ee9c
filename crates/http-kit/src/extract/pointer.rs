//! Where in a request a value is at fault, as a JSON pointer (RFC 6901).

use serde_path_to_error::{Path, Segment};
use yoi_protocol::{Failure, FieldError};

/// The most of a message that is passed on, in characters.
const MESSAGE_CHARS: usize = 200;

/// `invalid_request` at `path`, or at the missing field of what is there.
pub(super) fn failure(path: &Path, message: &str) -> Failure {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&FieldError::step(&index.to_string())),
            Segment::Map { key } => pointer.push_str(&FieldError::step(key)),
            // A variant is no place in the text, and an unknown place is its parent.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    if let Some(field) = named_field(message)
        && !pointer.ends_with(&format!("/{field}"))
    {
        pointer.push_str(&FieldError::step(field));
    }
    Failure::invalid(pointer, shown(message))
}

/// The field that serde names in its message rather than in the path.
fn named_field(message: &str) -> Option<&str> {
    ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split_once('`'))
        .map(|(field, _)| field)
}

/// A message may quote the caller's own value: bounded, and without control characters.
fn shown(message: &str) -> String {
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE_CHARS)
        .collect()
}
