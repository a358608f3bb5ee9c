//! Walking arrays and tables.

use std::collections::btree_map;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::Reader;
use super::fault::ReadError;
use crate::tree::{Node, Table, join};

/// The items of an array.
pub(super) struct Items<'a> {
    reader: Reader<'a>,
    rest: std::iter::Enumerate<slice::Iter<'a, Node>>,
}

impl<'a> Items<'a> {
    pub(super) fn new(reader: &Reader<'a>, items: &'a [Node]) -> Self {
        Self {
            reader: reader.clone(),
            rest: items.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let path = format!("{}[{index}]", self.reader.path);
        read_child(&self.reader, node, path, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

/// The entries of a table. With `fields`, keys beside them are noted as unknown and left out.
pub(super) struct Entries<'a> {
    reader: Reader<'a>,
    rest: btree_map::Iter<'a, String, Node>,
    value: Option<(&'a Node, String)>,
    fields: Option<&'static [&'static str]>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        reader: &Reader<'a>,
        table: &'a Table,
        fields: Option<&'static [&'static str]>,
    ) -> Self {
        Self {
            reader: reader.clone(),
            rest: table.iter(),
            value: None,
            fields,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        for (key, node) in self.rest.by_ref() {
            let path = join(&self.reader.path, key);
            if let Some(fields) = self.fields
                && !fields.contains(&key.as_str())
            {
                let fault = ReadError::unknown(fields).at(node, &path);
                self.reader.unknown.borrow_mut().push(fault);
                continue;
            }
            let name: StrDeserializer<'_, ReadError> = key.as_str().into_deserializer();
            let key = seed
                .deserialize(name)
                .map_err(|error| error.located(node, &path))?;
            self.value = Some((node, path));
            return Ok(Some(key));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        match self.value.take() {
            Some((node, path)) => read_child(&self.reader, node, path, seed),
            None => Err(ReadError::rule("a value without a key")),
        }
    }
}

fn read_child<'de, T: DeserializeSeed<'de>>(
    parent: &Reader<'_>,
    node: &Node,
    path: String,
    seed: T,
) -> Result<T::Value, ReadError> {
    let reader = Reader {
        node,
        path: path.clone(),
        unknown: parent.unknown,
    };
    seed.deserialize(reader)
        .map_err(|error| error.located(node, &path))
}
