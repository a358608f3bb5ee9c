//! The segment that is written to.

use std::io;
use std::sync::Arc;

use yoi_protocol::Timestamp;

use super::disk::Disk;
use super::identity::Identity;
use super::index::span;
use super::name::SegmentName;
use super::segment::{Seal, Segment};
use super::table::AnswerRef;
use crate::store::{LogId, Record};

/// The segment that is written to, and what its index will say.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    /// Where the next line belongs.
    pub(super) end: u64,
    /// How far there is room for certain.
    pub(super) allocated: u64,
    pub(super) records: u64,
    pub(super) answers: Vec<AnswerRef>,
    pub(super) times: Option<(Timestamp, Timestamp)>,
    /// The logs that have records here.
    pub(super) touched: Vec<LogId>,
    /// The logs that were dropped here.
    pub(super) dropped: Vec<LogId>,
}

impl Active {
    pub(super) fn new(segment: Arc<Segment>, end: u64, allocated: u64) -> Self {
        Self {
            segment,
            end,
            allocated,
            records: 0,
            answers: Vec::new(),
            times: None,
            touched: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Makes the file of a segment, so that it lasts, with room for `bytes`.
    pub(super) fn create(
        disk: &dyn Disk,
        identity: &Identity,
        number: u32,
        lsn: u64,
        bytes: u64,
    ) -> Result<Self, NotMade> {
        let name = SegmentName::one(number);
        let text = name.to_string();
        let create = || match disk.create(&text) {
            // It was begun before, and never used.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                disk.remove(&text)?;
                disk.create(&text)
            }
            made => made,
        };
        let file = create().map_err(NotMade::Refused)?;
        let header = Segment::first_line(identity, name, lsn);
        let allocated = bytes.max(header.len() as u64);
        let written = file
            .allocate(allocated)
            .and_then(|()| file.write_at(&header, 0));
        if let Err(error) = written {
            // If it stays, the next attempt takes it away, or the next start.
            let _ = disk.remove(&text);
            return Err(NotMade::Refused(error));
        }
        file.sync()
            .and_then(|()| disk.sync_folder())
            .map_err(NotMade::Unsynced)?;
        let segment = Arc::new(Segment::new(identity, name, file));
        Ok(Self::new(segment, header.len() as u64, allocated))
    }

    /// Counts a record that lasts, at `offset`.
    pub(super) fn count(&mut self, record: &Record, offset: u32) {
        self.records += 1;
        for event in &record.events {
            self.times = span(self.times, event.at);
        }
        for key in &record.keys {
            self.times = span(self.times, key.at);
            self.answers.push(AnswerRef {
                key: key.key,
                at: key.at,
                offset,
            });
        }
    }

    /// What the last line of the segment says, but where its index is.
    pub(super) fn seal(&self) -> Seal {
        Seal {
            index: 0,
            records: self.records,
            answers: self.answers.len() as u64,
            times: self.times,
        }
    }
}

/// Why there is no new segment.
#[derive(Debug)]
pub(super) enum NotMade {
    /// Nothing is changed, and it may go well the next time.
    Refused(io::Error),
    /// The disk did not do what it was asked to.
    Unsynced(io::Error),
}
