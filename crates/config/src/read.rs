//! Reading the tree into a type.

mod access;
mod fault;

use std::cell::RefCell;
use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use access::{Entries, Items};
use fault::ReadError;

use crate::Fault;
use crate::tree::{Node, Value};

/// Reads `root` as a `T`, adding whatever is wrong to `faults`; `None` when there is no `T`.
pub(crate) fn read<T: DeserializeOwned>(root: &Node, faults: &mut Vec<Fault>) -> Option<T> {
    let unknown = RefCell::new(Vec::new());
    let reader = Reader {
        node: root,
        path: String::new(),
        unknown: &unknown,
    };
    let value = T::deserialize(reader);
    faults.append(&mut unknown.into_inner());
    value.map_err(|error| faults.push(error.at(root, ""))).ok()
}

/// One node, what it is called, and where unknown keys are noted.
#[derive(Clone)]
struct Reader<'a> {
    node: &'a Node,
    path: String,
    unknown: &'a RefCell<Vec<Fault>>,
}

impl Reader<'_> {
    fn must_be(&self, what: impl Display) -> ReadError {
        ReadError::rule(format!("must be {what}")).located(self.node, &self.path)
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $int:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = match &self.node.value {
                Value::Integer(number) => $int::try_from(*number).ok(),
                Value::Given(text) => text.trim().parse().ok(),
                Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::Array(_)
                | Value::Table(_) => None,
            };
            match number {
                Some(number) => visitor.$visit(number),
                None => Err(self.must_be(format_args!(
                    "a whole number from {} to {}", $int::MIN, $int::MAX
                ))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_i64(number),
                (Err(_), Ok(number)) => visitor.visit_u64(number),
                (Err(_), Err(_)) => visitor.visit_i128(*number),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) | Value::Given(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items::new(&self, items)),
            Value::Table(table) => visitor.visit_map(Entries::new(&self, table, None)),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Given(text) if text == "true" => visitor.visit_bool(true),
            Value::Given(text) if text == "false" => visitor.visit_bool(false),
            _ => Err(self.must_be("true or false")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let number = match &self.node.value {
            Value::Float(number) => Some(*number),
            Value::Integer(number) => i32::try_from(*number).ok().map(f64::from),
            Value::Given(text) => text.trim().parse().ok(),
            Value::Bool(_) | Value::Text(_) | Value::Array(_) | Value::Table(_) => None,
        };
        match number {
            Some(number) => visitor.visit_f64(number),
            None => Err(self.must_be("a number")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Text(text) | Value::Given(text) => visitor.visit_str(text),
            _ => Err(self.must_be("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Array(items) => visitor.visit_seq(Items::new(&self, items)),
            Value::Given(_) => Err(self.must_be("an array, and arrays are set in the file alone")),
            _ => Err(self.must_be("an array")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Table(table) => visitor.visit_map(Entries::new(&self, table, None)),
            _ => Err(self.must_be("a table")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Table(table) => visitor.visit_map(Entries::new(&self, table, Some(fields))),
            _ => Err(self.must_be("a table")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Text(text) | Value::Given(text) => {
                let name: StrDeserializer<'_, ReadError> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(self.must_be("a text")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.unknown
            .borrow_mut()
            .push(ReadError::unknown(&[]).at(self.node, &self.path));
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}
