//! The one form that everything in the store's files has: a line of text, signed.
//!
//! ```text
//! <crc> <kind> <lsn> <index> <json>
//! ```
//!
//! `crc` is a CRC-32 in hexadecimal over all that follows it, begun with a salt that belongs to
//! the file, so that a line counts nowhere but where it was written. JSON has no raw line feed, so
//! a line ends at the first one; zeros are room that was never written.

use crc32fast::Hasher;
use serde::de::{Deserialize, Deserializer, Error};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What store this is, in a file of its own.
    Identity,
    /// How far the log certainly goes, in a file of its own.
    Mark,
    /// The first line of a segment.
    Header,
    /// A record of one log: events, answers, or both.
    Record,
    /// A log was dropped.
    Dropped,
    /// Where some records of one log are in this segment.
    Refs,
    /// Where answers are in this segment.
    Answers,
    /// One log as it is at the end of this segment.
    Log,
    /// The last line of a segment that takes no more records.
    Seal,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Identity,
        Self::Mark,
        Self::Header,
        Self::Record,
        Self::Dropped,
        Self::Refs,
        Self::Answers,
        Self::Log,
        Self::Seal,
    ];

    const fn letter(self) -> u8 {
        match self {
            Self::Identity => b'V',
            Self::Mark => b'M',
            Self::Header => b'H',
            Self::Record => b'R',
            Self::Dropped => b'D',
            Self::Refs => b'I',
            Self::Answers => b'A',
            Self::Log => b'L',
            Self::Seal => b'S',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Whether it is part of the log itself, with a number of its own.
    pub(super) const fn is_logged(self) -> bool {
        matches!(self, Self::Record | Self::Dropped)
    }
}

/// One line that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) kind: Kind,
    /// The number of a logged line, dense over the whole store as it is written; for any other the
    /// number that it is told by.
    pub(super) lsn: u64,
    /// How many lines were written before it in the same go, which lasts together or was never
    /// acknowledged.
    pub(super) index: u32,
    pub(super) json: &'a [u8],
}

/// The greatest number that anything has: what JSON can say exactly. A greater one was not written
/// by any store, and sums of those that were do not overflow.
const MOST: u64 = 1 << 53;

/// Whether anything can have this number.
pub(super) const fn is_number(number: u64) -> bool {
    number <= MOST
}

/// Reads a number that something has.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if is_number(number) {
        Ok(number)
    } else {
        Err(D::Error::custom("a number that nothing has"))
    }
}

/// The length of the checksum with the space after it.
const SIGNATURE: usize = 9;

impl<'a> Line<'a> {
    /// Appends the line with its line feed.
    pub(super) fn write(&self, salt: u32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[b' '; SIGNATURE]);
        out.push(self.kind.letter());
        out.push(b' ');
        write_number(self.lsn, out);
        out.push(b' ');
        write_number(u64::from(self.index), out);
        out.push(b' ');
        out.extend_from_slice(self.json);
        let signature = signature(salt, &out[start + SIGNATURE..]);
        out[start..start + SIGNATURE - 1].copy_from_slice(&signature);
        out.push(b'\n');
    }

    /// The line that `text` is, without its line feed; `None` when it is not whole, or was written
    /// somewhere else.
    pub(super) fn parse(salt: u32, text: &'a [u8]) -> Option<Self> {
        let (signed, rest) = text.split_at_checked(SIGNATURE)?;
        if signed[..SIGNATURE - 1] != signature(salt, rest) || signed[SIGNATURE - 1] != b' ' {
            return None;
        }
        let mut parts = rest.splitn(4, |byte| *byte == b' ');
        let kind = match parts.next()? {
            [letter] => Kind::of(*letter)?,
            _ => return None,
        };
        let lsn = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        if !is_number(lsn) {
            return None;
        }
        let index = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        let json = parts.next()?;
        Some(Self {
            kind,
            lsn,
            index,
            json,
        })
    }

    /// The number that `text` has where a line has its own, for who cannot tell whether it is one.
    pub(super) fn number_unsigned(text: &[u8]) -> Option<u64> {
        let number = text.split(|byte| *byte == b' ').nth(2)?;
        std::str::from_utf8(number).ok()?.parse().ok()
    }
}

fn signature(salt: u32, bytes: &[u8]) -> [u8; SIGNATURE - 1] {
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(bytes);
    let crc = hasher.finalize();
    let mut text = [0; SIGNATURE - 1];
    for (index, digit) in text.iter_mut().enumerate() {
        let nibble = (crc >> (28 - 4 * index)) & 0xF;
        *digit = b"0123456789abcdef"[nibble as usize];
    }
    text
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut left = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests;
