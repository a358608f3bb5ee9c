//! Identifiers and opaque tokens, each a type of its own that holds only what is well-formed.
//!
//! All of them are cheap to clone. Parsing is the only way in, so a value that exists is valid;
//! an error never repeats the text it refused.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {rule}")]
pub struct IdError {
    kind: &'static str,
    rule: &'static str,
}

/// Whether `text` matches `^[a-z0-9][a-z0-9._-]{0,63}$`, the form of every id on the wire.
fn is_name(text: &str) -> bool {
    let lower_alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().next().is_some_and(lower_alphanumeric)
        && text
            .bytes()
            .all(|b| lower_alphanumeric(b) || matches!(b, b'.' | b'_' | b'-'))
}

fn is_visible_ascii(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Unreserved URL characters only, so that the text needs no escaping in a path or a query.
fn is_url_safe(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` when it is well-formed.
            ///
            /// # Errors
            /// [`IdError`], which names the rule and never repeats the text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(IdError { kind: $kind, rule: $rule })
                }
            }

            /// The text, as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// Names a Runtime within a Backend's registry. Together with a [`WorkerId`] it is the whole
    /// address of a Worker.
    RuntimeId, "runtime_id", "1 to 64 characters of a-z, 0-9, '.', '_' or '-', starting with a letter or digit", is_name
);
text_id!(
    /// Names a Worker within its Runtime.
    WorkerId, "worker_id", "1 to 64 characters of a-z, 0-9, '.', '_' or '-', starting with a letter or digit", is_name
);
text_id!(
    /// Names one run of a Worker: what one accepted input led to.
    RunId, "run_id", "1 to 64 characters of a-z, 0-9, '.', '_' or '-', starting with a letter or digit", is_name
);
text_id!(
    /// Names one start of a Runtime process. Opaque; another value means another start.
    BootId, "boot_id", "1 to 64 visible ASCII characters", |text| is_visible_ascii(text, 64)
);
text_id!(
    /// A position in a Worker's event log, opaque to whoever holds it.
    ///
    /// At most [`Cursor::RUNTIME_MAX`] characters from a Runtime and [`Cursor::BACKEND_MAX`] from
    /// a Backend, all of them safe in a URL. It grants no authority.
    Cursor, "cursor", "1 to 256 URL-safe characters", |text| is_url_safe(text, Cursor::BACKEND_MAX)
);
text_id!(
    /// Where the next page of a list starts, opaque to whoever holds it.
    PageToken, "page", "1 to 512 URL-safe characters", |text| is_url_safe(text, 512)
);
text_id!(
    /// Names one intended command, so that sending it again applies it once.
    IdempotencyKey, "idempotency-key", "1 to 255 visible ASCII characters", |text| is_visible_ascii(text, 255)
);
text_id!(
    /// Names one request across hops, in answers and logs.
    RequestId, "x-request-id", "1 to 128 URL-safe characters", |text| is_url_safe(text, 128)
);

impl Cursor {
    /// The longest cursor that a Runtime may hand out, in characters.
    pub const RUNTIME_MAX: usize = 128;
    /// The longest cursor that a Backend may hand out, in characters.
    pub const BACKEND_MAX: usize = 256;
}
