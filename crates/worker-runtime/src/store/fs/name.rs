//! What the files of a store are called.

use std::fmt;

/// Says what store this is.
pub(super) const IDENTITY: &str = "STORE";
/// Says how far the log certainly goes.
pub(super) const HEAD: &str = "HEAD";
/// Who has the store, in words: what is locked is the folder.
pub(super) const LOCK: &str = "LOCK";
/// The end of the name of a file that is being made, and counts for nothing yet.
const UNFINISHED: &str = ".tmp";
const SEGMENT: &str = ".log";

/// The numbers of the segments that a file stands for: one, or several that were made one.
///
/// Segments are numbered densely from 1 and no number ever goes away, so that a file that is
/// missing is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SegmentName {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl SegmentName {
    pub(super) const fn one(number: u32) -> Self {
        Self {
            first: number,
            last: number,
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let numbers = name.strip_suffix(SEGMENT)?;
        let number = |text: &str| -> Option<u32> {
            let is_plain = text.len() == 10 && text.bytes().all(|digit| digit.is_ascii_digit());
            is_plain.then(|| text.parse().ok())?
        };
        let name = match numbers.split_once('-') {
            None => Self::one(number(numbers)?),
            Some((first, last)) => Self {
                first: number(first)?,
                last: number(last)?,
            },
        };
        let is_one = numbers.len() == 10;
        let is_in_order = name.first > 0 && (is_one || name.first < name.last);
        is_in_order.then_some(name)
    }

    /// Whether this file has taken the place of `other`.
    pub(super) const fn replaces(self, other: Self) -> bool {
        let holds = self.first <= other.first && other.last <= self.last;
        holds && (self.first != other.first || self.last != other.last)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last {
            write!(f, "{first:010}{SEGMENT}")
        } else {
            write!(f, "{first:010}-{last:010}{SEGMENT}")
        }
    }
}

/// The name under which a file is made before it is given its own.
pub(super) fn unfinished(name: &str) -> String {
    format!("{name}{UNFINISHED}")
}

/// Whether a file of a store was being made when its process ended.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(UNFINISHED)
        .is_some_and(|name| name == IDENTITY || SegmentName::parse(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (first, last) in [(1, 1), (7, 9), (u32::MAX, u32::MAX), (1, u32::MAX)] {
            let name = SegmentName { first, last };
            assert_eq!(SegmentName::parse(&name.to_string()), Some(name));
        }
        let one = SegmentName::one(7).to_string();
        assert_eq!(one, "0000000007.log");
        for other in [
            "7.log",
            "0000000007",
            "0000000000.log",
            "0000000007-0000000007.log",
            "0000000009-0000000007.log",
            "0000000007.log.tmp",
            "+000000007.log",
            "9999999999.log",
            "STORE",
        ] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_unfinished_is_of_a_store() {
        for name in ["STORE", "0000000001.log", "0000000001-0000000009.log"] {
            assert!(is_unfinished(&unfinished(name)), "{name}");
            assert!(!is_unfinished(name), "{name}");
        }
        for name in ["thesis.tmp", ".tmp", "1.log.tmp", "HEAD.tmp.tmp"] {
            assert!(!is_unfinished(name), "{name}");
        }
    }

    #[test]
    fn the_larger_file_has_replaced_those_in_it() {
        let whole = SegmentName { first: 2, last: 5 };
        for (first, last, is_replaced) in [(2, 2, true), (3, 5, true), (2, 5, false), (5, 6, false)]
        {
            assert_eq!(whole.replaces(SegmentName { first, last }), is_replaced);
        }
    }
}
