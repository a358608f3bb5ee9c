//! How far the log certainly goes: a mark that is written after every sync of the log, so that a
//! tail that is gone, or damaged, is told from one that was never acknowledged.
//!
//! The mark is not synced with every record. After a kill it is exact; after a power loss it may
//! be behind, but never ahead of the log.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yoi_protocol::Timestamp;

use super::disk::{Disk, DiskFile};
use super::error::OpenError;
use super::line::{Kind, Line, number};
use super::name::HEAD;

/// Two places that are written in turn, each in a sector of its own, so that one is always whole.
const SLOT_BYTES: u64 = 512;
const SLOTS: u64 = 2;

/// How far the log certainly goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The last record that was acknowledged, 0 before the first.
    #[serde(deserialize_with = "number")]
    pub(super) lsn: u64,
    /// How many marks were written before this one.
    #[serde(deserialize_with = "number")]
    pub(super) generation: u64,
    /// Answers that were given before are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answers_from: Option<Timestamp>,
    /// The last number of the segments whose events are given up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) given_up: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The file that has the mark.
#[derive(Debug)]
pub(super) struct Head {
    file: Arc<dyn DiskFile>,
    salt: u32,
    pub(super) mark: Mark,
    is_synced: bool,
}

impl Head {
    /// Makes the file of a new store, so that it lasts once the folder is synced.
    pub(super) fn create(disk: &dyn Disk, salt: u32) -> Result<Self, OpenError> {
        let create = || -> io::Result<Self> {
            let file = disk.create(HEAD)?;
            file.allocate(SLOT_BYTES * SLOTS)?;
            let mut head = Self {
                file: Arc::from(file),
                salt,
                mark: Mark::default(),
                is_synced: false,
            };
            for _ in 0..SLOTS {
                head.write(head.mark)?;
            }
            head.file.sync()?;
            head.is_synced = true;
            Ok(head)
        };
        create().map_err(OpenError::io("making HEAD"))
    }

    /// Opens the file that is there.
    pub(super) fn open(disk: &dyn Disk, salt: u32) -> Result<Self, OpenError> {
        let file = disk.open(HEAD).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::Missing {
                file: HEAD.to_owned(),
            },
            _ => OpenError::io("opening HEAD")(error),
        })?;
        let mut best: Option<Mark> = None;
        for slot in slots(&*file)? {
            let mark = parse(salt, &slot);
            if mark.is_some_and(|mark| best.is_none_or(|best| mark.generation > best.generation)) {
                best = mark;
            }
        }
        let mark = best
            .ok_or_else(|| OpenError::damaged(HEAD, 0, "neither of its two marks can be read"))?;
        Ok(Self {
            file: Arc::from(file),
            salt,
            mark,
            is_synced: true,
        })
    }

    /// Writes a mark, which need not last at once.
    pub(super) fn write(&mut self, mark: Mark) -> io::Result<()> {
        let mark = Mark {
            generation: self.mark.generation + 1,
            ..mark
        };
        let json = serde_json::to_vec(&mark)?;
        let line = Line {
            kind: Kind::Mark,
            lsn: mark.lsn,
            index: 0,
            json: &json,
        };
        let mut bytes = Vec::with_capacity(SLOT_BYTES as usize);
        line.write(self.salt, &mut bytes);
        self.file
            .write_at(&bytes, mark.generation % SLOTS * SLOT_BYTES)?;
        self.mark = mark;
        self.is_synced = false;
        Ok(())
    }

    /// What is to be synced for the mark to last, if anything: apart from here, so that nobody who
    /// writes a mark waits for it.
    pub(super) fn unsynced(&mut self) -> Option<Arc<dyn DiskFile>> {
        let is_synced = std::mem::replace(&mut self.is_synced, true);
        (!is_synced).then(|| Arc::clone(&self.file))
    }
}

/// Whether the file that is there has told of a record, as far as one can see who does not know
/// of which store it is.
pub(super) fn was_used(disk: &dyn Disk) -> Result<bool, OpenError> {
    let file = disk.open(HEAD).map_err(OpenError::io("opening HEAD"))?;
    let tells = |slot: &Vec<u8>| {
        let mark = slot.splitn(2, |byte| *byte == b'\n').next();
        mark.and_then(Line::number_unsigned)
            .is_some_and(|lsn| lsn > 0)
    };
    Ok(slots(&*file)?.iter().any(tells))
}

/// What is in each of the places.
fn slots(file: &dyn DiskFile) -> Result<Vec<Vec<u8>>, OpenError> {
    let read = |slot| {
        let mut bytes = vec![0; SLOT_BYTES as usize];
        let size = file.read_at(&mut bytes, slot * SLOT_BYTES)?;
        bytes.truncate(size);
        Ok(bytes)
    };
    let slots: io::Result<_> = (0..SLOTS).map(read).collect();
    slots.map_err(OpenError::io("reading HEAD"))
}

fn parse(salt: u32, slot: &[u8]) -> Option<Mark> {
    let end = slot.iter().position(|byte| *byte == b'\n')?;
    let line = Line::parse(salt, &slot[..end])?;
    let mark: Mark = serde_json::from_slice(line.json).ok()?;
    (line.kind == Kind::Mark && line.lsn == mark.lsn).then_some(mark)
}
