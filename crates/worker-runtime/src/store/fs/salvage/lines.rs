//! Whatever is good in one segment, line by line, and what is not.

use std::io;

use super::{Flaw, Found, flaw};
use crate::store::fs::footer::{self, LogLine};
use crate::store::fs::identity::NO_SALT;
use crate::store::fs::line::{Kind, Line};
use crate::store::fs::name::SegmentName;
use crate::store::fs::record::{decode, decode_dropped};
use crate::store::fs::scan;
use crate::store::fs::segment::{Header, Seal};

/// The lines of one segment.
pub(super) struct Lines<'a> {
    pub(super) name: SegmentName,
    pub(super) salt: u32,
    /// The record that it follows, if that is known.
    pub(super) follows: Option<u64>,
    pub(super) is_last: bool,
    /// The last record that was certainly acknowledged, if that is known.
    pub(super) mark: Option<u64>,
    /// Its index is whole: what is missing of a log is known.
    pub(super) has_index: bool,
    /// The last number that was seen.
    pub(super) lsn: &'a mut u64,
    pub(super) flaws: &'a mut Vec<Flaw>,
}

impl Lines<'_> {
    /// Visits those that are good; gives where the last one ends.
    pub(super) fn each(
        &mut self,
        bytes: &[u8],
        visit: &mut impl FnMut(Found) -> io::Result<()>,
    ) -> io::Result<u64> {
        let used = scan::used(bytes);
        let mut bad: Option<usize> = None;
        let mut at = 0;
        let mut is_sealed = false;
        let mut is_anew = self.name.first < self.name.last;
        let (mut count, flaws) = (Count::after(self.follows), self.flaws.len());
        self.has_index = has_index(self.salt, &bytes[..used]);
        for text in bytes[..used].split_inclusive(|byte| *byte == b'\n') {
            let line = text.strip_suffix(b"\n").and_then(|text| {
                let salt = if at == 0 { NO_SALT } else { self.salt };
                Line::parse(salt, text)
            });
            let found = line.and_then(|line| {
                is_sealed = line.kind == Kind::Seal;
                is_anew |= is_header_anew(&line);
                count.line(&line, at as u64, is_anew);
                if is_sealed || line.kind.is_logged() {
                    *self.lsn = (*self.lsn).max(line.lsn);
                }
                understand(&line)
            });
            match found {
                Some(found) => {
                    if bad.is_some() && !self.has_index {
                        visit(Found::Doubt)?;
                    }
                    self.flaw_until(bad.take(), at);
                    for one in found {
                        visit(one)?;
                    }
                }
                None => bad = bad.or(Some(at)),
            }
            at += text.len();
        }
        match bad {
            // What was never acknowledged is no flaw: a process may be writing it.
            Some(_) if self.is_last && self.mark.is_some_and(|mark| *self.lsn >= mark) => {}
            Some(start) if self.is_last => self.flaws.push(Flaw {
                file: self.name.to_string(),
                offset: start as u64,
                bytes: (used - start) as u64,
                what: "the tail is not whole",
            }),
            bad => self.flaw_until(bad, used),
        }
        let name = self.name.to_string();
        if !is_sealed && (is_anew || !self.is_last) {
            visit(Found::Doubt)?;
            self.flaws
                .push(flaw(&name, used as u64, "its end is missing"));
        } else if is_sealed && !self.is_last && used < bytes.len() {
            let what = "there is room behind its end";
            self.flaws.push(flaw(&name, used as u64, what));
        } else if !(count.is_right() && is_sealed == self.has_index) && self.flaws.len() == flaws {
            visit(Found::Doubt)?;
            let what = "its lines are not those that were written, one after the other";
            self.flaws.push(flaw(&name, 0, what));
        }
        Ok(used as u64)
    }

    fn flaw_until(&mut self, bad: Option<usize>, end: usize) {
        if let Some(start) = bad {
            self.flaws.push(Flaw {
                file: self.name.to_string(),
                offset: start as u64,
                bytes: (end - start) as u64,
                what: "this is not what was written",
            });
        }
    }
}

/// The lines of a segment, held against each other and against what the last one says of them.
struct Count {
    /// The number that the next record has, or more where only some of them are here; any where
    /// that is not known.
    next: Option<u64>,
    is_in_order: bool,
    records: u64,
    /// Where its index begins.
    index: Option<u64>,
    seal: Option<Seal>,
}

impl Count {
    /// Of a segment that follows this record.
    fn after(lsn: Option<u64>) -> Self {
        Self {
            next: lsn.map(|lsn| lsn + 1),
            is_in_order: true,
            records: 0,
            index: None,
            seal: None,
        }
    }

    fn line(&mut self, line: &Line<'_>, at: u64, is_anew: bool) {
        match line.kind {
            Kind::Record | Kind::Dropped => {
                let is_next = |next| line.lsn == next || (is_anew && line.lsn > next);
                self.is_in_order &= self.next.is_none_or(is_next);
                self.next = Some(line.lsn + 1);
                self.records += 1;
            }
            Kind::Refs | Kind::Answers | Kind::Log | Kind::Seal => {
                self.index.get_or_insert(at);
            }
            Kind::Header | Kind::Identity | Kind::Mark => {}
        }
        if line.kind == Kind::Seal {
            self.seal = serde_json::from_slice(line.json).ok();
        }
    }

    fn is_right(&self) -> bool {
        let is_told = |seal: &Seal| seal.records == self.records && self.index == Some(seal.index);
        self.is_in_order && self.seal.as_ref().is_none_or(is_told)
    }
}

fn is_header_anew(line: &Line<'_>) -> bool {
    let header = (line.kind == Kind::Header).then(|| serde_json::from_slice::<Header>(line.json));
    header.is_some_and(|header| header.is_ok_and(|header| header.anew))
}

/// Whether a segment ends with an index that is whole.
fn has_index(salt: u32, bytes: &[u8]) -> bool {
    let Some(text) = bytes.strip_suffix(b"\n") else {
        return false;
    };
    let start = text.iter().rposition(|byte| *byte == b'\n');
    let last = &text[start.map_or(0, |at| at + 1)..];
    let seal = Line::parse(salt, last).filter(|line| line.kind == Kind::Seal);
    let seal = seal.and_then(|line| serde_json::from_slice::<Seal>(line.json).ok());
    let index = seal.and_then(|seal| bytes.get(usize::try_from(seal.index).ok()?..));
    index.is_some_and(|index| footer::lines(salt, index).all(|(_, line)| line.is_some()))
}

/// What a good line says, if anything that matters here; `None` where it is of no known form.
fn understand(line: &Line<'_>) -> Option<Vec<Found>> {
    let found = match line.kind {
        Kind::Record => vec![Found::Record(decode(line.json)?)],
        Kind::Dropped => vec![Found::Dropped(decode_dropped(line.json)?)],
        Kind::Log => {
            let said: LogLine = LogLine::decode(line.json)?;
            let log = said.log();
            if said.is_dropped() {
                vec![Found::Dropped(log)]
            } else {
                let state = said.state_alone();
                state
                    .map(|(seq, worker)| Found::State {
                        log,
                        seq,
                        worker: Box::new(worker),
                    })
                    .into_iter()
                    .collect()
            }
        }
        Kind::Identity | Kind::Mark | Kind::Header | Kind::Refs | Kind::Answers | Kind::Seal => {
            Vec::new()
        }
    };
    Some(found)
}
