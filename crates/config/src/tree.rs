//! The configuration as a tree in which everything knows where it comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{ConfigError, Place};

/// A value and where it comes from; for the value of a key, that is where the key stands.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

pub(crate) type Table = BTreeMap<String, Node>;

#[derive(Clone)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    /// A text from outside the file, which becomes what the reader asks for.
    Given(String),
    Array(Vec<Node>),
    Table(Table),
}

impl Node {
    pub(crate) fn table(place: Place) -> Self {
        Self {
            place,
            value: Value::Table(Table::new()),
        }
    }

    /// Every key below this node with its place, by path: `runtimes[1].base_url`.
    pub(crate) fn places(&self, path: &str, into: &mut BTreeMap<String, Place>) {
        into.insert(path.to_owned(), self.place.clone());
        match &self.value {
            Value::Table(table) => {
                for (key, node) in table {
                    node.places(&join(path, key), into);
                }
            }
            Value::Array(items) => {
                for (index, node) in items.iter().enumerate() {
                    node.places(&format!("{path}[{index}]"), into);
                }
            }
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Given(_) => {}
        }
    }
}

/// The path of a key in the table at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Parses a TOML document.
///
/// # Errors
/// One fault with the line. The parser's own text is used without its excerpt of the source,
/// which could show a secret.
pub(crate) fn parse(file: &str, text: &str) -> Result<Node, ConfigError> {
    let source = Source {
        file: Arc::from(file),
        text,
    };
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        ConfigError::new(
            source.place(at),
            format!("not valid TOML: {}", error.message()),
        )
    })?;
    Ok(Node {
        place: source.place(0),
        value: source.table(root.get_ref()),
    })
}

struct Source<'a> {
    file: Arc<str>,
    text: &'a str,
}

impl Source<'_> {
    fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().iter().take(at);
        Place::Line {
            file: self.file.clone(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let node = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            let node = Node {
                place: self.place(key.span().start),
                value: self.value(value.get_ref()),
            };
            (key.get_ref().clone().into_owned(), node)
        };
        Value::Table(table.iter().map(node).collect())
    }

    fn value(&self, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Integer(number) => {
                // The grammar is checked already; only numbers beyond 128 bits do not fit.
                i128::from_str_radix(number.as_str(), number.radix())
                    .map_or(Value::Float(f64::INFINITY), Value::Integer)
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| Node {
                        place: self.place(item.span().start),
                        value: self.value(item.get_ref()),
                    })
                    .collect(),
            ),
            DeValue::Table(table) => self.table(table),
        }
    }
}
