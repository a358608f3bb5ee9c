//! Where a secret is found.

use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// Where a secret is found: `{ env = "NAME" }` or `{ file = "path" }`.
///
/// A literal is refused with a fixed text, so that it is never repeated. `Debug` shows the name
/// of a variable, but no path.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In a variable of the environment.
    Env(String),
    /// In a file, whose last line end does not count. Read again when it changes.
    File(PathBuf),
}

const LITERAL: &str = "must refer to a secret, not be one: \
                       { env = \"NAME\" } or { file = \"path\" }";
const ONE: &str = "must have either env or file";

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefVisitor)
    }
}

struct RefVisitor;

impl<'de> Visitor<'de> for RefVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ env = \"NAME\" } or { file = \"path\" }")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretRef, E> {
        Err(E::custom(LITERAL))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            let reference = match key.as_str() {
                "env" => SecretRef::Env(map.next_value()?),
                "file" => SecretRef::File(PathBuf::from(map.next_value::<String>()?)),
                other => return Err(A::Error::unknown_field(other, &["env", "file"])),
            };
            if found.replace(reference).is_some() {
                return Err(A::Error::custom(format_args!("{ONE}, not both")));
            }
        }
        found.ok_or_else(|| A::Error::custom(ONE))
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "SecretRef(env {name})"),
            Self::File(_) => f.write_str("SecretRef(file)"),
        }
    }
}
