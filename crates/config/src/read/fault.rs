//! What serde says is wrong, without the values that it would repeat.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

use crate::Fault;
use crate::tree::{Node, Value, join};

/// A fault that may not know yet where it belongs.
#[derive(Debug)]
pub(super) enum ReadError {
    /// What a value must be.
    Rule(String),
    /// A key that the type does not have.
    Unknown {
        /// The key inside the node, empty when the node is its value.
        key: String,
        fields: Vec<&'static str>,
    },
    /// A key that the type needs.
    Missing(&'static str),
    /// Known in full.
    Located(Fault),
}

impl ReadError {
    pub(super) fn rule(message: impl Into<String>) -> Self {
        Self::Rule(message.into())
    }

    /// The key whose value is at hand is none of `fields`.
    pub(super) fn unknown(fields: &[&'static str]) -> Self {
        Self::Unknown {
            key: String::new(),
            fields: fields.to_vec(),
        }
    }

    /// The same error, said of this node unless it is said of another already: the innermost is
    /// the one that knows best.
    pub(super) fn located(self, node: &Node, path: &str) -> Self {
        Self::Located(self.at(node, path))
    }

    pub(super) fn at(self, node: &Node, path: &str) -> Fault {
        let place = node.place.clone();
        match self {
            Self::Located(fault) => fault,
            Self::Rule(message) if path.is_empty() => Fault { place, message },
            Self::Rule(message) => Fault {
                place,
                message: format!("`{path}` {message}"),
            },
            Self::Missing(field) => Fault {
                place,
                message: format!("`{}` is missing", join(path, field)),
            },
            Self::Unknown { key, fields } if key.is_empty() => Fault {
                place,
                message: unknown_key(path, &fields),
            },
            Self::Unknown { key, fields } => {
                let child = match &node.value {
                    Value::Table(table) => table.get(&key),
                    _ => None,
                };
                Fault {
                    place: child.map_or(place, |child| child.place.clone()),
                    message: unknown_key(&join(path, &key), &fields),
                }
            }
        }
    }
}

fn unknown_key(path: &str, fields: &[&'static str]) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    let nearest = fields
        .iter()
        .map(|field| (distance(key, field), *field))
        .min()
        .filter(|(distance, field)| *distance <= 1 + field.len() / 4);
    match (nearest, fields) {
        (Some((_, field)), _) => format!("unknown key `{path}`; did you mean `{field}`?"),
        (None, []) => format!("unknown key `{path}`"),
        (None, fields) => format!("unknown key `{path}`; known here: {}", fields.join(", ")),
    }
}

/// How many letters have to be put in, taken out or changed to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

impl serde::de::Error for ReadError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Rule(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Rule(format!("must be {expected}, not {}", kind(found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Rule(format!("must be {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Rule(format!("must be one of: {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown {
            key: field.to_owned(),
            fields: expected.to_vec(),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// What was found, by its kind alone: the value may be a secret in the wrong place.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a text",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault in the configuration")
    }
}

impl std::error::Error for ReadError {}
