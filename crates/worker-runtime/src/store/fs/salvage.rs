//! Reading whatever is good of a store, whether or not it can be opened: for who exports it, and
//! for who repairs it. Changes nothing, and needs no lock.

mod lines;

use std::io;

use serde::Serialize;
use yoi_protocol::Worker;

use super::disk::{Disk, DiskFile};
use super::error::OpenError;
use super::head::Head;
use super::identity::{Identity, NO_SALT};
use super::name::{HEAD, IDENTITY, SegmentName};
use super::segment::Segment;
use crate::store::{LogId, Record};
use lines::Lines;

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
                // After what is missing nobody knows what it begins with.
                follows: flaws.is_empty().then_some(lsn),
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
