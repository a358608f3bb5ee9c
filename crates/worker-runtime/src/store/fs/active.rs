//! The segment that is written to.

use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::footer::{Extent, FooterBuilder};
use super::identity::Identity;
use super::index::{Index, Sealed};
use super::name::SegmentName;
use super::segment::Segment;
use super::tally::Tally;
use crate::store::LogId;

/// The segment that is written to, and what its index will say.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    /// Where the next line belongs.
    pub(super) end: u64,
    /// How far there is room for certain.
    pub(super) allocated: u64,
    pub(super) tally: Tally,
    /// The logs that have records here.
    pub(super) touched: Vec<LogId>,
    /// The logs that were dropped here, with the oldest segment that can have anything of them.
    pub(super) dropped: Vec<(LogId, Option<u32>)>,
}

impl Active {
    pub(super) fn new(segment: Arc<Segment>, end: u64, allocated: u64) -> Self {
        Self {
            segment,
            end,
            allocated,
            tally: Tally::default(),
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
        let header = Segment::first_line(identity, name, lsn, false);
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

    /// The index of the segment, which ends with the record `lsn`.
    pub(super) fn ending(&self, index: &Index, lsn: u64) -> Ending {
        let mut footer = FooterBuilder::new(&self.segment, lsn, self.end);
        let mut places = Vec::with_capacity(self.touched.len());
        for log in &self.touched {
            // One that was dropped since has nothing to say.
            let Some(known) = index.logs.get(log) else {
                continue;
            };
            let refs: Vec<_> = known.recent.iter().copied().collect();
            let extents = footer.log(log, &refs, known.state.seq, Some(&known.state));
            places.push((log.clone(), extents));
        }
        for (log, begun) in &self.dropped {
            footer.dropped(log, *begun);
        }
        let seal = self.tally.seal(self.end);
        let bytes = footer.finish(&self.tally.answers, seal.clone());
        let size = self.end + bytes.len() as u64;
        // Those that were dropped have some, too.
        let has_events = !places.is_empty() || !self.dropped.is_empty();
        Ending {
            bytes,
            places,
            sealed: Sealed::new(Arc::clone(&self.segment), seal, lsn, size, has_events),
        }
    }
}

/// How a segment ends.
#[derive(Debug)]
pub(super) struct Ending {
    /// What belongs behind its last record.
    pub(super) bytes: Vec<u8>,
    /// Where the records of each log are then.
    pub(super) places: Vec<(LogId, Vec<Extent>)>,
    /// The segment when it is written.
    pub(super) sealed: Sealed,
}

/// Why there is no new segment.
#[derive(Debug)]
pub(super) enum NotMade {
    /// Nothing is changed, and it may go well the next time.
    Refused(io::Error),
    /// The disk did not do what it was asked to.
    Unsynced(io::Error),
}
