//! Server-sent events, as far as the contract uses them.

use crate::unmet::{Unmet, broken};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) id: Option<String>,
    pub(super) data: String,
}

/// Takes a whole stream apart. Comments are left out.
pub(super) fn parse(text: &str) -> Result<Vec<Sent>, Unmet> {
    let mut all = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        let (mut id, mut data) = (None, None);
        for line in block.lines().filter(|line| !line.starts_with(':')) {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            let before = match name {
                "id" => id.replace(value),
                "data" => data.replace(value),
                // Fields that a reader does not know are ignored.
                _ => None,
            };
            if before.is_some() {
                return Err(broken(format!("two {name} lines in one event")));
            }
        }
        match (id, data) {
            (id, Some(data)) => all.push(Sent { id, data }),
            (Some(_), None) => return Err(broken("an event with an id and without data")),
            (None, None) => {}
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
