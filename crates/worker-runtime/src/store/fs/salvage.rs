//! Reading whatever is good of a store, whether or not it can be opened: for who exports it, and
//! for who repairs it. Changes nothing, and needs no lock.

use std::io;

use serde::Serialize;
use yoi_protocol::Worker;

use super::disk::{Disk, DiskFile};
use super::error::OpenError;
use super::footer::{self, LogLine};
use super::head::Head;
use super::identity::{Identity, NO_SALT};
use super::line::{Kind, Line};
use super::name::{HEAD, IDENTITY, SegmentName};
use super::record::{decode, decode_dropped};
use super::scan;
use super::segment::{Header, Seal, Segment};
use crate::store::{LogId, Record};

/// Something that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The file.
    pub file: String,
    /// Where in it.
    pub offset: u64,
    /// How many bytes; 0 for a file that is missing.
    pub bytes: u64,
    /// What is wrong.
    pub what: &'static str,
}

/// One good thing that was found, in the order in which they were written.
pub(super) enum Found {
    /// A record.
    Record(Record),
    /// A log was dropped.
    Dropped(LogId),
    /// A log as it is at this point.
    State {
        log: LogId,
        seq: u64,
        worker: Box<Worker>,
    },
    /// Something was acknowledged here of which nobody can tell what log it was of: a log that
    /// does not show again may have lost its end.
    Doubt,
}

/// What is there.
pub(super) struct Salvage {
    pub(super) identity: Identity,
    segments: Vec<(SegmentName, Box<dyn DiskFile>)>,
    /// The last record that was certainly acknowledged, if that is known.
    mark: Option<u64>,
    /// What is wrong with the files as such.
    flaws: Vec<Flaw>,
}

/// How often to look again at files that a process replaces meanwhile.
const ATTEMPTS: usize = 16;

impl Salvage {
    /// Opens what files there are: all at once, so that what a process replaces meanwhile is read
    /// as it was.
    pub(super) fn new(disk: &dyn Disk) -> Result<Self, OpenError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Self::look(disk) {
                Err(OpenError::Unusable {
                    kind: io::ErrorKind::NotFound,
                    ..
                }) if attempts < ATTEMPTS => {}
                looked => return looked,
            }
        }
    }

    fn look(disk: &dyn Disk) -> Result<Self, OpenError> {
        // Before the segments: what they are held to was there already.
        let found = Identity::read(disk);
        let head = match &found {
            Ok(Some(identity)) => Some(Head::open(disk, identity.salt(0))),
            Ok(None) | Err(_) => None,
        };
        let names = disk.list().map_err(OpenError::io("reading the folder"))?;
        let mut segments: Vec<SegmentName> = names
            .iter()
            .filter_map(|name| SegmentName::parse(name))
            .collect();
        segments.sort_unstable();
        let all = segments.clone();
        segments.retain(|one| !all.iter().any(|other| other.replaces(*one)));
        let mut flaws = Vec::new();
        let identity = match found {
            Ok(Some(identity)) => identity,
            Err(error @ (OpenError::Newer { .. } | OpenError::Unusable { .. })) => {
                return Err(error);
            }
            Ok(None) | Err(_) => {
                let is_there = names.iter().any(|name| name == IDENTITY);
                flaws.push(flaw(IDENTITY, 0, if is_there { DAMAGED } else { MISSING }));
                from_headers(disk, &segments).ok_or(OpenError::Absent)?
            }
        };
        let head = head.unwrap_or_else(|| Head::open(disk, identity.salt(0)));
        let mark = match head {
            Ok(head) => Some(head.mark.lsn),
            Err(error) => {
                let is_missing = matches!(error, OpenError::Missing { .. });
                flaws.push(flaw(HEAD, 0, if is_missing { MISSING } else { DAMAGED }));
                None
            }
        };
        let mut next = 1;
        for name in &segments {
            while next < name.first {
                flaws.push(flaw(&SegmentName::one(next).to_string(), 0, MISSING));
                next += 1;
            }
            next = name.last + 1;
        }
        let open = |name: SegmentName| Ok((name, disk.open(&name.to_string())?));
        let opened = segments.into_iter().map(open).collect::<io::Result<_>>();
        Ok(Self {
            identity,
            segments: opened.map_err(OpenError::io("opening a segment"))?,
            mark,
            flaws,
        })
    }

    /// Visits everything that is good, and gives what is not.
    pub(super) fn each(
        &self,
        mut visit: impl FnMut(Found) -> io::Result<()>,
    ) -> Result<Vec<Flaw>, OpenError> {
        let mut flaws = self.flaws.clone();
        let last = self.segments.last().map(|(name, _)| *name);
        let mut end = (SegmentName::one(1), 0);
        let mut lsn = 0;
        let mut next = 1;
        for (name, file) in &self.segments {
            if name.first != next {
                visit(Found::Doubt).map_err(OpenError::io(WRITING))?;
            }
            next = name.last + 1;
            let read = whole(&**file).map_err(OpenError::io("reading a segment"));
            let mut lines = Lines {
                name: *name,
                salt: self.identity.salt(name.last),
                is_last: last == Some(*name),
                mark: self.mark,
                has_index: false,
                lsn: &mut lsn,
                flaws: &mut flaws,
            };
            let used = lines
                .each(&read?, &mut visit)
                .map_err(OpenError::io(WRITING))?;
            end = (*name, used);
        }
        if self.mark.is_none_or(|mark| lsn < mark) {
            visit(Found::Doubt).map_err(OpenError::io(WRITING))?;
        }
        if self.mark.is_some_and(|mark| lsn < mark) {
            flaws.push(flaw(
                &end.0.to_string(),
                end.1,
                "records that were acknowledged are missing after it",
            ));
        }
        Ok(flaws)
    }
}

fn whole(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(file.size()?).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The lines of one segment.
struct Lines<'a> {
    name: SegmentName,
    salt: u32,
    is_last: bool,
    /// The last record that was certainly acknowledged, if that is known.
    mark: Option<u64>,
    /// Its index is whole: what is missing of a log is known.
    has_index: bool,
    /// The last number that was seen.
    lsn: &'a mut u64,
    flaws: &'a mut Vec<Flaw>,
}

impl Lines<'_> {
    /// Visits those that are good; gives where the last one ends.
    fn each(
        &mut self,
        bytes: &[u8],
        visit: &mut impl FnMut(Found) -> io::Result<()>,
    ) -> io::Result<u64> {
        let used = scan::used(bytes);
        let mut bad: Option<usize> = None;
        let mut at = 0;
        let mut is_sealed = false;
        let mut is_anew = self.name.first < self.name.last;
        let (mut count, flaws) = (Count::after(*self.lsn), self.flaws.len());
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
    /// The number that the next record has, or more where only some of them are here.
    next: u64,
    is_in_order: bool,
    records: u64,
    /// Where its index begins.
    index: Option<u64>,
    seal: Option<Seal>,
}

impl Count {
    /// Of a segment that follows this record.
    fn after(lsn: u64) -> Self {
        Self {
            next: lsn + 1,
            is_in_order: true,
            records: 0,
            index: None,
            seal: None,
        }
    }

    fn line(&mut self, line: &Line<'_>, at: u64, is_anew: bool) {
        match line.kind {
            Kind::Record | Kind::Dropped => {
                self.is_in_order &= line.lsn == self.next || (is_anew && line.lsn > self.next);
                self.next = line.lsn + 1;
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

const WRITING: &str = "writing what was found";
const MISSING: &str = "it is missing";
const DAMAGED: &str = "it is damaged";

fn flaw(file: &str, offset: u64, what: &'static str) -> Flaw {
    Flaw {
        file: file.to_owned(),
        offset,
        bytes: 0,
        what,
    }
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

/// What store this is, as its segments say.
fn from_headers(disk: &dyn Disk, segments: &[SegmentName]) -> Option<Identity> {
    segments.iter().find_map(|name| {
        let file = disk.open(&name.to_string()).ok()?;
        // Its salt does not matter: a header is signed without one.
        let segment = Segment {
            name: *name,
            salt: NO_SALT,
            file,
        };
        let header = segment.header()?;
        Some(Identity {
            format: header.format,
            store: header.store,
            runtime: header.runtime,
        })
    })
}
