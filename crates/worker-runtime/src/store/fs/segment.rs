//! One file of the log.

use std::io;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yoi_protocol::{RuntimeId, Timestamp};

use super::disk::DiskFile;
use super::identity::{FORMAT, Identity, NO_SALT};
use super::line::{Kind, Line, number};
use super::name::SegmentName;

/// What the first line of a segment says. Signed without a salt, so that it can be read when
/// nothing else is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) store: Uuid,
    pub(super) runtime: RuntimeId,
    pub(super) first: u32,
    pub(super) last: u32,
    /// It was written from other segments, and what its records add up to is said by its index
    /// alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) anew: bool,
}

/// What the last line of a segment says that takes no more records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    /// Where the index of the segment begins.
    #[serde(deserialize_with = "number")]
    pub(super) index: u64,
    /// How many records it has.
    #[serde(deserialize_with = "number")]
    pub(super) records: u64,
    /// How many answers they have.
    #[serde(deserialize_with = "number")]
    pub(super) answers: u64,
    /// The first and the last time of its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    pub(super) salt: u32,
    pub(super) file: Box<dyn DiskFile>,
}

/// Why something in a segment cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The disk says so.
    Io(io::Error),
    /// What is there is not what was written.
    Damaged { offset: u64 },
}

/// How much is read at once of a line of unknown length.
const PIECE_BYTES: usize = 4096;

impl Segment {
    pub(super) fn new(identity: &Identity, name: SegmentName, file: Box<dyn DiskFile>) -> Self {
        Self {
            name,
            salt: identity.salt(name.last),
            file,
        }
    }

    /// What the first line says, if that can be read.
    pub(super) fn header(&self) -> Option<Header> {
        let bytes = self.bytes_from(0).ok()?;
        let line = Line::parse(NO_SALT, bytes.strip_suffix(b"\n")?)?;
        match line.kind {
            Kind::Header => serde_json::from_slice(line.json).ok(),
            _ => None,
        }
    }

    /// The first line of a segment of this name, which is told by the number of its first record,
    /// and whether it is written `anew`, from others.
    pub(super) fn first_line(
        identity: &Identity,
        name: SegmentName,
        lsn: u64,
        anew: bool,
    ) -> Vec<u8> {
        let header = Header {
            format: FORMAT,
            store: identity.store,
            runtime: identity.runtime.clone(),
            first: name.first,
            last: name.last,
            anew,
        };
        let mut out = Vec::new();
        // Such a value always serialises; a header without one would not be read.
        let json = serde_json::to_vec(&header).unwrap_or_default();
        let line = Line {
            kind: Kind::Header,
            lsn,
            index: 0,
            json: &json,
        };
        line.write(NO_SALT, &mut out);
        out
    }

    /// The bytes of a line whose place is known, line feed and all.
    pub(super) fn bytes(&self, offset: u64, size: usize) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = vec![0; size];
        let read = self
            .file
            .read_at(&mut bytes, offset)
            .map_err(Unreadable::Io)?;
        if read == size {
            Ok(bytes)
        } else {
            Err(Unreadable::Damaged { offset })
        }
    }

    /// Writes the end of the file anew, from `offset` on, and sees to it that it lasts. After a sync
    /// that failed it may be read without being on the disk, and no later sync brings it there.
    pub(super) fn renew(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)?;
        self.file.set_size(offset + bytes.len() as u64)?;
        self.file.sync()
    }

    /// How many lines are good before and after `offset`, without the first.
    pub(super) fn good_around(&self, offset: u64) -> (u64, u64) {
        let size = self.file.size().unwrap_or(0);
        let bytes = self.bytes(0, size as usize).unwrap_or_default();
        let (mut at, mut before, mut after) = (0, 0, 0);
        for text in bytes.split_inclusive(|byte| *byte == b'\n') {
            if Line::parse(self.salt, text.strip_suffix(b"\n").unwrap_or(text)).is_some() {
                *(if at < offset { &mut before } else { &mut after }) += 1;
            }
            at += text.len() as u64;
        }
        (before, after)
    }

    /// The line at the start of `bytes`, which are from `offset` on.
    pub(super) fn line<'a>(
        &self,
        bytes: &'a [u8],
        offset: u64,
        kind: Kind,
    ) -> Result<Line<'a>, Unreadable> {
        let line = bytes.strip_suffix(b"\n");
        line.and_then(|line| Line::parse(self.salt, line))
            .filter(|line| line.kind == kind)
            .ok_or(Unreadable::Damaged { offset })
    }

    /// The bytes of the line that begins at `offset`, however long it is.
    pub(super) fn bytes_from(&self, offset: u64) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            bytes.resize(start + PIECE_BYTES.max(start), 0);
            let read = self
                .file
                .read_at(&mut bytes[start..], offset + start as u64)
                .map_err(Unreadable::Io)?;
            bytes.truncate(start + read);
            if let Some(end) = bytes[start..].iter().position(|byte| *byte == b'\n') {
                bytes.truncate(start + end + 1);
                return Ok(bytes);
            }
            if read == 0 {
                return Err(Unreadable::Damaged { offset });
            }
        }
    }
}
