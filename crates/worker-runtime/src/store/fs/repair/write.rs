//! Writing what is kept as a store of its own.

use std::collections::HashMap;
use std::io;

use super::fold::Fold;
use crate::store::fs::disk::Disk;
use crate::store::fs::error::OpenError;
use crate::store::fs::footer::FooterBuilder;
use crate::store::fs::head::{Head, Mark};
use crate::store::fs::identity::Identity;
use crate::store::fs::line::{Kind, Line};
use crate::store::fs::name::SegmentName;
use crate::store::fs::record::encode;
use crate::store::fs::salvage::{Found, Salvage};
use crate::store::fs::segment::Segment;
use crate::store::fs::table::Ref;
use crate::store::fs::tally::Tally;
use crate::store::{LogId, Record};

/// How large a segment becomes.
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;

/// Writes what is kept into an empty folder. The identity comes last: until then there is no store.
pub(super) fn write(fold: &Fold, salvage: &Salvage, new: &dyn Disk) -> Result<(), OpenError> {
    let identity = Identity::new(salvage.identity.runtime.clone());
    let mut head = Head::create(new, identity.salt(0))?;
    let mut out = Output {
        disk: new,
        identity: &identity,
        fold,
        number: 1,
        lsn: 0,
        first_lsn: 1,
        buffer: Vec::new(),
        refs: HashMap::new(),
        sequences: HashMap::new(),
        ends: HashMap::new(),
        tally: Tally::default(),
    };
    salvage.each(|found| match found {
        Found::Record(record) => out.record(record),
        Found::Dropped(_) | Found::State { .. } | Found::Doubt => Ok(()),
    })?;
    let doing = "writing the repaired store";
    out.finish(true).map_err(OpenError::io(doing))?;
    let lsn = out.lsn;
    let marked = head.write(Mark { lsn, ..head.mark }).and_then(|()| {
        let file = head.unsynced();
        file.map_or(Ok(()), |file| file.sync())
    });
    marked.map_err(OpenError::io(doing))?;
    identity.write(new)
}

struct Output<'a> {
    disk: &'a dyn Disk,
    identity: &'a Identity,
    fold: &'a Fold,
    number: u32,
    lsn: u64,
    /// The number that the segment begins with.
    first_lsn: u64,
    buffer: Vec<u8>,
    refs: HashMap<LogId, Vec<Ref>>,
    /// The number of the next entry of each log.
    sequences: HashMap<LogId, u64>,
    /// The last `seq` that was written of each log.
    ends: HashMap<LogId, u64>,
    tally: Tally,
}

impl Output<'_> {
    fn record(&mut self, mut record: Record) -> io::Result<()> {
        let was = record.log.clone();
        if self.fold.loses(&record) {
            return Ok(());
        }
        match self.fold.logs.get(&was) {
            Some(kept) => {
                record
                    .events
                    .retain(|event| (kept.first..=kept.state.seq).contains(&event.seq));
                record.log.life = kept.life;
                // One that stands twice, or before its turn, is kept once, where it belongs.
                let next = self.ends.get(&was).map_or(kept.first, |end| end + 1);
                if record.events.first().is_some_and(|first| first.seq != next) {
                    record.events.clear();
                }
            }
            None => record.events.clear(),
        }
        if record.events.is_empty() && record.keys.is_empty() {
            return Ok(());
        }
        let json = encode(&record).ok_or(io::ErrorKind::InvalidData)?;
        if self.buffer.len() + json.len() > SEGMENT_BYTES && self.lsn >= self.first_lsn {
            self.finish(false)?;
        }
        self.begin();
        self.lsn += 1;
        let offset = self.buffer.len() as u32;
        let line = Line {
            kind: Kind::Record,
            lsn: self.lsn,
            index: 0,
            json: &json,
        };
        line.write(self.identity.salt(self.number), &mut self.buffer);
        let size = self.buffer.len() as u32 - offset;
        if let Some((first, last)) = record.events.first().zip(record.events.last()) {
            self.ends.insert(was.clone(), last.seq);
            let start = self.fold.logs.get(&was).map_or(1, |kept| kept.sequence);
            let next = self.sequences.entry(was.clone()).or_insert(start);
            let one = Ref {
                offset,
                size,
                seq: first.seq,
                sequence: *next,
            };
            *next += record
                .events
                .iter()
                .filter(|event| event.entry().is_some())
                .count() as u64;
            self.refs.entry(was).or_default().push(one);
        }
        self.tally.count(&record, offset);
        Ok(())
    }

    fn begin(&mut self) {
        if self.buffer.is_empty() {
            let name = SegmentName::one(self.number);
            self.first_lsn = self.lsn + 1;
            self.buffer = Segment::first_line(self.identity, name, self.first_lsn, true);
        }
    }

    /// Ends the segment; the last one says how every log is.
    fn finish(&mut self, is_last: bool) -> io::Result<()> {
        self.begin();
        let name = SegmentName::one(self.number);
        let file = self.disk.create(&name.to_string())?;
        let segment = Segment::new(self.identity, name, file);
        let start = self.buffer.len() as u64;
        let mut footer = FooterBuilder::new(&segment, self.lsn, start);
        for (log, kept) in &self.fold.logs {
            let refs = self.refs.remove(log).unwrap_or_default();
            if refs.is_empty() && !is_last {
                continue;
            }
            let named = LogId {
                life: kept.life,
                ..log.clone()
            };
            let last_seq = self.ends.get(log).copied().unwrap_or(0);
            let state = is_last.then_some(&kept.state);
            footer.log(&named, &refs, last_seq, state);
        }
        let tally = std::mem::take(&mut self.tally);
        let footer = footer.finish(&tally.answers, tally.seal(start));
        self.buffer.extend(footer);
        segment.file.write_at(&self.buffer, 0)?;
        segment.file.sync()?;
        self.buffer.clear();
        self.number += 1;
        Ok(())
    }
}
