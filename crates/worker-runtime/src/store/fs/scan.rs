//! Reading a segment that has no index, line by line: what is whole, and whether what follows was
//! never acknowledged, or is damage.
//!
//! What is written in one go is synced in one go, and the next is not written before. So a good
//! line that was the `index`-th of its go says that everything before that go was acknowledged,
//! and the mark says so of everything up to it. A line that is not whole and was acknowledged is
//! damage; any other was cut by the end of the process or of the power, together with its go.

use super::footer;
use super::identity::NO_SALT;
use super::line::{Kind, Line};

/// What a segment without an index holds.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// The number that its header begins with; `None` when the header is not whole.
    pub(super) first_lsn: Option<u64>,
    /// Its logged lines that count, each with its place and its size.
    pub(super) lines: Vec<(u64, u32, Line<'a>)>,
    /// Where the next line belongs.
    pub(super) end: u64,
    /// What is there instead.
    pub(super) tail: Tail,
}

/// What follows the last line that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Room that was never written.
    Clean,
    /// So many bytes that were never acknowledged.
    Torn { bytes: u64 },
    /// An index that is whole, up to there.
    Sealed { end: u64 },
    /// Something that was acknowledged and is not what was written; so many good lines follow it.
    Damaged { after: u64 },
}

/// Reads the segment of this salt whose bytes these are, and whose first record has the number
/// `expected`. `mark` is the last record that is known to have been acknowledged.
pub(super) fn scan(salt: u32, bytes: &[u8], expected: u64, mark: u64) -> Scan<'_> {
    let mut scan = Scan {
        first_lsn: None,
        lines: Vec::new(),
        end: 0,
        tail: Tail::Clean,
    };
    let Some((header, size)) = line_at(NO_SALT, bytes, 0).filter(|(line, _)| {
        // A header that is whole, but of another segment, is told by who reads it.
        line.kind == Kind::Header
    }) else {
        scan.tail = tail(salt, bytes, 0, expected, mark, false);
        return scan;
    };
    scan.first_lsn = Some(header.lsn);
    scan.end = size;
    let mut next = header.lsn;
    while let Some((line, size)) = line_at(salt, bytes, scan.end) {
        if !line.kind.is_logged() || line.lsn != next {
            break;
        }
        scan.lines.push((scan.end, size as u32, line));
        scan.end += size;
        next += 1;
    }
    scan.tail = tail(salt, bytes, scan.end, next, mark, true);
    scan
}

fn line_at(salt: u32, bytes: &[u8], at: u64) -> Option<(Line<'_>, u64)> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | 0))?;
    if rest[end] == 0 {
        return None;
    }
    Some((Line::parse(salt, &rest[..end])?, end as u64 + 1))
}

/// What is at `end`, where record `next` belongs.
fn tail(salt: u32, bytes: &[u8], end: u64, next: u64, mark: u64, has_header: bool) -> Tail {
    let rest = &bytes[usize::try_from(end).unwrap_or(bytes.len()).min(bytes.len())..];
    let used = used(rest);
    if used == 0 && has_header {
        return Tail::Clean;
    }
    if let Some(size) = index_at(salt, &rest[..used]) {
        return Tail::Sealed { end: end + size };
    }
    let mut after = 0;
    let mut was_acknowledged = mark >= next;
    // Whatever was there instead, a line begins after a line feed or after what was never written.
    let mut texts = rest[..used].split(|byte| matches!(byte, b'\n' | 0));
    // The bad one itself: it may be good but for its line feed.
    texts.next();
    for text in texts {
        let Some(line) = Line::parse(salt, text) else {
            continue;
        };
        if line.kind.is_logged() && line.lsn >= next {
            after += 1;
            was_acknowledged |= line.lsn - u64::from(line.index).min(line.lsn) > next;
        } else if !line.kind.is_logged() && line.lsn >= next {
            // An index is written once everything before it is acknowledged.
            after += 1;
            was_acknowledged = true;
        }
    }
    // The first line lasts before anything is written behind it.
    was_acknowledged |= !has_header && after > 0;
    if was_acknowledged && (after > 0 || used > 0 || !has_header) {
        Tail::Damaged { after }
    } else {
        Tail::Torn { bytes: used as u64 }
    }
}

/// The size of a whole index at the start of `bytes`, if that is what they are.
fn index_at(salt: u32, bytes: &[u8]) -> Option<u64> {
    let mut last = None;
    for (_, line) in footer::lines(salt, bytes) {
        last = Some(line?.kind);
    }
    (last == Some(Kind::Seal)).then_some(bytes.len() as u64)
}

/// How many bytes there are before the zeros at the end. Looked for a piece at a time: most of a
/// segment that was just begun is zeros.
pub(super) fn used(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut end = bytes.len();
    while end >= ZEROS.len() && bytes[end - ZEROS.len()..end] == ZEROS {
        end -= ZEROS.len();
    }
    let last = bytes[..end].iter().rposition(|byte| *byte != 0);
    last.map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests;
