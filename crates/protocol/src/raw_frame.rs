//! A frame as it came, taken apart only as far as a proxy needs.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Cursor;

/// A frame whose envelope is parsed and whose content is kept to the byte.
///
/// Fields and types that this version does not know survive, in their order. A proxy reads
/// `kind`, `seq` and `cursor`, replaces what is its own, and passes the rest on untouched.
#[derive(Debug, Clone)]
pub struct RawFrame {
    fields: Vec<(String, Box<RawValue>)>,
}

/// A text that is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RawFrameError {
    /// Not one JSON object.
    #[error("a frame must be one JSON object")]
    NotAnObject,
    /// A field of the envelope is missing or of another type.
    #[error("a frame needs a valid {0}")]
    Field(&'static str),
}

impl RawFrame {
    /// Takes a frame apart and checks its envelope: `kind` is a text, and an `event` has a `seq`
    /// from 1 and a well-formed `cursor`.
    ///
    /// # Errors
    /// [`RawFrameError`], which never repeats the text.
    pub fn parse(text: &str) -> Result<Self, RawFrameError> {
        let fields: Fields = serde_json::from_str(text).map_err(|_| RawFrameError::NotAnObject)?;
        let frame = Self { fields: fields.0 };
        let kind = frame.kind().ok_or(RawFrameError::Field("kind"))?;
        if kind == "event" {
            frame
                .seq()
                .filter(|seq| *seq > 0)
                .ok_or(RawFrameError::Field("seq"))?;
            frame.cursor().ok_or(RawFrameError::Field("cursor"))?;
            frame
                .payload_type("event")
                .ok_or(RawFrameError::Field("event"))?;
        }
        Ok(frame)
    }

    /// `event`, `delta`, `control`, `diagnostic`, or what a newer version says.
    #[must_use]
    pub fn kind(&self) -> Option<String> {
        self.read("kind")
    }

    /// The number of an event.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.read("seq")
    }

    /// The position of an event.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.read("cursor")
    }

    /// The `type` inside the payload field `name` (`event`, `delta`, `control`).
    #[must_use]
    pub fn payload_type(&self, name: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            name: String,
        }
        self.read::<Typed>(name).map(|typed| typed.name)
    }

    /// A field as a type of the reader's; `None` when absent or of another shape.
    #[must_use]
    pub fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A field as it came.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| &**value)
    }

    /// Replaces a field, or adds it at the end.
    ///
    /// # Panics
    /// Never for the contract's types: all of them serialise.
    pub fn set<T: Serialize>(&mut self, name: &str, value: &T) {
        let Ok(value) = serde_json::value::to_raw_value(value) else {
            return;
        };
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, slot)) => *slot = value,
            None => self.fields.push((name.to_owned(), value)),
        }
    }

    /// The frame as one JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for RawFrame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Envelope;
        impl<'de> Visitor<'de> for Envelope {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a frame")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::with_capacity(8);
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if fields.iter().any(|(field, _)| *field == name) {
                        return Err(serde::de::Error::custom("a field stands twice"));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Envelope)
    }
}
