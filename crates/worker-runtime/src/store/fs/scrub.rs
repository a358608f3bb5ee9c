//! Reading everything again now and then, so that damage is found before somebody needs what it
//! hit.

use std::ops::Bound;
use std::sync::Arc;

use super::identity::NO_SALT;
use super::index::{Index, Sealed};
use super::line::{Kind, Line};
use super::read::{Fault, fault};
use super::segment::{Segment, Unreadable};
use super::shared::Shared;

/// How much is read at once.
const READ_BYTES: usize = 1024 * 1024;

/// Where the scrub is.
#[derive(Debug)]
pub(super) struct Scrub {
    /// The segment that is read, and how far it was.
    at: Option<(Arc<Segment>, u64)>,
    /// How much is read at once.
    piece_bytes: usize,
}

impl Default for Scrub {
    fn default() -> Self {
        Self {
            at: None,
            piece_bytes: READ_BYTES,
        }
    }
}

impl Scrub {
    /// Checks the next lines, about a mebibyte of them; says whether it came to the end of all.
    pub(super) fn step(&mut self, shared: &Shared) -> Result<bool, Fault> {
        let Some((segment, size, offset)) = next(&shared.index(), self.at.as_ref()) else {
            self.at = None;
            return Ok(true);
        };
        let checked = check(&segment, size, offset, self.piece_bytes);
        // What is damaged is told once a round; the scrub goes on with the next segment.
        let end = *checked.as_ref().unwrap_or(&size);
        self.at = Some((Arc::clone(&segment), end));
        checked.map_err(fault(&segment))?;
        Ok(false)
    }
}

/// The segment to read, its size, and from where: from the start where the one that was read has
/// been replaced, under whatever name.
fn next(index: &Index, at: Option<&(Arc<Segment>, u64)>) -> Option<(Arc<Segment>, u64, u64)> {
    let number = at.map_or(0, |(segment, _)| segment.name.last);
    let range = (Bound::Included(number), Bound::Unbounded);
    let from = |sealed: &Sealed| match at {
        Some((segment, offset)) if Arc::ptr_eq(segment, &sealed.segment) => *offset,
        _ => 0,
    };
    index
        .sealed
        .range::<u32, _>(range)
        .map(|(_, sealed)| (Arc::clone(&sealed.segment), sealed.size, from(sealed)))
        .find(|(_, size, from)| from < size)
}

/// Checks the lines from `offset` on; gives where the next one begins.
fn check(segment: &Segment, size: u64, offset: u64, piece: usize) -> Result<u64, Unreadable> {
    let mut wanted = piece;
    loop {
        let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
        let bytes = segment.bytes(offset, wanted.min(left))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        let Some(last) = whole else {
            if wanted >= left {
                return Err(Unreadable::Damaged { offset });
            }
            wanted *= 4;
            continue;
        };
        let mut at = offset;
        for text in bytes[..=last].split_inclusive(|byte| *byte == b'\n') {
            let text_end = text.strip_suffix(b"\n").unwrap_or(text);
            let salt = if at == 0 { NO_SALT } else { segment.salt };
            let line = Line::parse(salt, text_end);
            let is_good = line.is_some_and(|line| (line.kind == Kind::Header) == (at == 0));
            if !is_good {
                return Err(Unreadable::Damaged { offset: at });
            }
            at += text.len() as u64;
        }
        return Ok(at);
    }
}

#[cfg(test)]
mod tests;
