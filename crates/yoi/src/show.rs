//! How answers are shown: tables for people, JSON for programs.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::world::World;

/// Where answers are shown, and in which form.
pub(crate) struct Screen<'a> {
    out: &'a mut (dyn Write + Send),
    notes: &'a mut (dyn Write + Send),
    is_terminal: bool,
    pub(crate) json: bool,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(world: &'a mut World, json: bool) -> Self {
        Self {
            out: &mut *world.output,
            notes: &mut *world.notes,
            is_terminal: world.is_terminal,
            json,
        }
    }

    /// Shows a whole answer: as one JSON document, or as what `people` makes of it.
    pub(crate) fn answer<T: Serialize>(
        &mut self,
        value: &T,
        people: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        if self.json {
            serde_json::to_writer(&mut *self.out, value)?;
            return self.line("");
        }
        let text = people(value);
        self.line(&text)
    }

    /// Shows a line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.piece(text)?;
        self.piece("\n")
    }

    /// Shows a piece of a text at once.
    pub(crate) fn piece(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal {
            harmless(text)
        } else {
            Cow::Borrowed(text)
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Tells something that is not part of the answer.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.notes, "{}", harmless(text))
    }
}

/// A text that cannot steer a terminal: control characters are shown as pictures.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| match u32::from(c) {
        code @ 0..0x20 if is_bad(c) => char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}'),
        _ if is_bad(c) => '\u{FFFD}',
        _ => c,
    };
    Cow::Owned(text.chars().map(show).collect())
}

/// A table with a head, one line a row, no borders: easy to read, and to cut apart.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// What stands in a table for nothing.
pub(crate) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}

#[cfg(test)]
mod tests;
