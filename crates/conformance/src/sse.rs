//! Server-sent events, as far as the contract uses them.

use crate::unmet::{Unmet, broken};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

/// A stream as it comes, line by line. Lines end with CR, LF or both.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    unread: Vec<u8>,
    id: Option<String>,
    data: Option<String>,
}

impl Reader {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.unread.extend_from_slice(piece);
    }

    /// The next event that is whole. Comments are left out.
    pub(crate) fn next(&mut self) -> Result<Option<Sent>, Unmet> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                match (self.id.take(), self.data.take()) {
                    (id, Some(data)) => return Ok(Some(Sent { id, data })),
                    (Some(_), None) => return Err(broken("an event with an id and without data")),
                    (None, None) => {}
                }
            } else if !line.starts_with(':') {
                self.field(&line)?;
            }
        }
        Ok(None)
    }

    fn field(&mut self, line: &str) -> Result<(), Unmet> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        let before = match name {
            "id" => self.id.replace(value),
            "data" => self.data.replace(value),
            // Fields that a reader does not know are ignored.
            _ => None,
        };
        match before {
            Some(_) => Err(broken(format!("two {name} lines in one event"))),
            None => Ok(()),
        }
    }

    /// The next whole line. A CR at the end may be half of a line's end.
    fn line(&mut self) -> Option<String> {
        let end = self
            .unread
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n'))?;
        let length = match (self.unread[end], self.unread.get(end + 1)) {
            (b'\r', None) => return None,
            (b'\r', Some(b'\n')) => 2,
            _ => 1,
        };
        let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        self.unread.drain(..end + length);
        Some(line)
    }
}

/// Takes a whole stream apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Sent>, Unmet> {
    let mut reader = Reader::default();
    reader.push(text.as_bytes());
    // The end of the stream ends its last event.
    reader.push(b"\n\n");
    let mut all = Vec::new();
    while let Some(sent) = reader.next()? {
        all.push(sent);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
