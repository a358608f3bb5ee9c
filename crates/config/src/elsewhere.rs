//! Sections that belong to another program.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A section that another program reads: whatever stands in it is accepted here.
///
/// `serde::de::IgnoredAny` cannot say this, because to the loader it means an unknown key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Elsewhere;

impl<'de> Deserialize<'de> for Elsewhere {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Elsewhere;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Elsewhere, E> {
        Ok(Elsewhere)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Elsewhere, A::Error> {
        while items.next_element::<Elsewhere>()?.is_some() {}
        Ok(Elsewhere)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Elsewhere, A::Error> {
        while entries.next_entry::<Elsewhere, Elsewhere>()?.is_some() {}
        Ok(Elsewhere)
    }
}
