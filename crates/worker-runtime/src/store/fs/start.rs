//! Reading what is there: the indexes of the sealed segments, and the records of the last one.

use std::collections::HashSet;
use std::sync::Arc;

use yoi_protocol::Timestamp;

use super::active::Active;
use super::disk::Disk;
use super::error::{OpenError, READING};
use super::footer::{self, Footer};
use super::head::Mark;
use super::identity::Identity;
use super::index::{Index, Log, Sealed};
use super::line::{Kind, Line};
use super::name::SegmentName;
use super::options::FsOptions;
use super::record::{decode, decode_dropped};
use super::scan::{Scan, Tail, scan};
use super::segment::{Segment, Unreadable};
use super::segments;
use super::shared::Place;
use crate::fold::{FoldError, WorkerState};
use crate::store::answers::Answers;
use crate::store::{LogId, Record};

/// What was read.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) index: Index,
    pub(super) answers: Answers<Place>,
    /// The segment to write to, if there is one.
    pub(super) active: Option<Active>,
    pub(super) lsn: u64,
    pub(super) cut: Option<(String, u64, u64)>,
}

/// What is known while it is read.
#[derive(Debug)]
pub(super) struct Start<'a> {
    disk: &'a dyn Disk,
    options: &'a FsOptions,
    identity: &'a Identity,
    mark: Mark,
    index: Index,
    answers: Answers<Place>,
    /// Logs that were dropped later than where we are.
    gone: HashSet<LogId>,
    lsn: u64,
    cut: Option<(String, u64, u64)>,
    /// Everything is read a second time.
    is_again: bool,
}

impl<'a> Start<'a> {
    pub(super) fn new(
        disk: &'a dyn Disk,
        options: &'a FsOptions,
        identity: &'a Identity,
        mark: Mark,
    ) -> Self {
        Self {
            disk,
            options,
            identity,
            mark,
            index: Index::default(),
            answers: Answers::default(),
            gone: HashSet::new(),
            lsn: 0,
            cut: None,
            is_again: false,
        }
    }

    /// Reads all segments.
    pub(super) fn load(mut self, segments: &[SegmentName]) -> Result<Started, OpenError> {
        let active = self.read(segments)?;
        let Self {
            index,
            answers,
            lsn,
            cut,
            ..
        } = self;
        Ok(Started {
            index,
            answers,
            active,
            lsn,
            cut,
        })
    }

    /// Reads all segments, and gives the one to write to if there is one.
    fn read(&mut self, segments: &[SegmentName]) -> Result<Option<Active>, OpenError> {
        let Some((last, earlier)) = segments.split_last() else {
            return self.end(None, 0).map(|()| None);
        };
        let last = self.segment(*last)?;
        let last_size = last.file.size().map_err(OpenError::io(READING))?;
        // What was written anew was whole before it had its name, and its records say less.
        let is_anew =
            last.name.first < last.name.last || last.header().is_some_and(|header| header.anew);
        let last_footer = match footer::read(&last, last_size) {
            Ok(None) if is_anew => return Err(not_sealed(&last, last_size)),
            // Its seal can be on the disk before the rest of it, when the power goes meanwhile. The
            // records say the same.
            Err(Unreadable::Damaged { .. }) if !is_anew => None,
            read => read.map_err(|fault| OpenError::of_segment(&last, &fault))?,
        };
        // The newest first: what is said of a log there counts. One at a time, for there may be
        // many, and each says how every Worker was.
        let unsealed = match last_footer {
            Some(footer) => {
                self.lsn = footer.lsn;
                self.end(Some(last.name), last_size)?;
                let index = footer.seal.index;
                last.bytes(index, (last_size - index) as usize)
                    .and_then(|read| last.renew(&read, index).map_err(Unreadable::Io))
                    .map_err(|fault| OpenError::of_segment(&last, &fault))?;
                self.take(last, last_size, footer)?;
                None
            }
            None => Some(last),
        };
        for (place, name) in earlier.iter().rev().enumerate() {
            let segment = self.segment(*name)?;
            let size = segment.file.size().map_err(OpenError::io(READING))?;
            let footer = footer::read(&segment, size)
                .map_err(|fault| OpenError::of_segment(&segment, &fault))?;
            let Some(footer) = footer else {
                return Err(not_sealed(&segment, size));
            };
            if place == 0 && unsealed.is_some() {
                self.lsn = footer.lsn;
            }
            self.take(segment, size, footer)?;
        }
        for log in self.index.logs.values_mut() {
            log.give_up(self.mark.given_up);
            log.retain(&self.options.retention);
        }
        self.index.given_up = self.mark.given_up;
        match unsealed {
            None => Ok(None),
            Some(last) => self.load_last(last),
        }
    }

    fn segment(&self, name: SegmentName) -> Result<Segment, OpenError> {
        let file = self
            .disk
            .open(&name.to_string())
            .map_err(OpenError::io("opening a segment"))?;
        let segment = Segment::new(self.identity, name, file);
        match segment.header() {
            Some(header) if header.store != self.identity.store => Err(OpenError::in_segment(
                &segment,
                0,
                "it belongs to another store",
            )),
            _ => Ok(segment),
        }
    }

    /// Takes what an index says, after those of all newer segments.
    fn take(&mut self, segment: Segment, size: u64, footer: Footer) -> Result<(), OpenError> {
        let Footer {
            lsn,
            seal,
            logs,
            answers,
        } = footer;
        let number = segment.name.last;
        let has_events = logs.iter().any(|line| !line.extents.is_empty());
        for mut line in logs {
            let log = line.log();
            if line.is_dropped() {
                self.gone.insert(log);
                continue;
            }
            if self.gone.contains(&log) {
                continue;
            }
            let state = line.take_state(&self.identity.runtime);
            let known = match (self.index.logs.get_mut(&log), state) {
                (Some(known), _) => known,
                (None, Some(state)) => {
                    let known = Log::new(Arc::new(state), number);
                    self.index.logs.entry(log).or_insert(known)
                }
                (None, None) => {
                    return Err(OpenError::in_segment(
                        &segment,
                        seal.index,
                        "the index of a later segment must say how a log is",
                    ));
                }
            };
            known.begun = number;
            for extent in line.extents.into_iter().rev() {
                known.precede(extent);
            }
        }
        for answer in answers.into_iter().rev() {
            if self.remembers(answer.at, lsn) {
                let place = Place {
                    segment: number,
                    offset: answer.offset,
                };
                // The newest stands: an older one under the same key has expired.
                if self.answers.get(&answer.key).is_none() {
                    self.answers.insert(answer.key, answer.at, place);
                }
            }
        }
        let sealed = Sealed::new(Arc::new(segment), seal, lsn, size, has_events);
        self.index.sealed.insert(number, sealed);
        Ok(())
    }

    /// Whether an answer of up to record `lsn` is remembered. What the mark forgets was before the
    /// mark: one that was given later, by a clock that was set back, is not.
    fn remembers(&self, at: Timestamp, lsn: u64) -> bool {
        let from = self.mark.answers_from;
        lsn > self.mark.lsn || from.is_none_or(|from| at >= from)
    }

    /// Reads the segment that has no index.
    fn load_last(&mut self, segment: Segment) -> Result<Option<Active>, OpenError> {
        let size = segment.file.size().map_err(OpenError::io(READING))?;
        let bytes = segment
            .bytes(0, size as usize)
            .map_err(|fault| OpenError::of_segment(&segment, &fault))?;
        let expected = self.lsn + 1;
        let found = scan(segment.salt, &bytes, expected, self.mark.lsn);
        let name = segment.name;
        let before = found.lines.len() as u64;
        if let Tail::Damaged { after } = found.tail {
            return Err(OpenError::Damaged {
                file: name.to_string(),
                offset: found.end,
                what: "a record that was acknowledged is not what was written",
                before,
                after,
            });
        }
        let is_sealed = matches!(found.tail, Tail::Sealed { .. });
        let is_used = is_sealed || !found.lines.is_empty();
        let Some(first_lsn) = found.first_lsn.filter(|_| is_used) else {
            self.end(Some(name), found.end)?;
            if let Tail::Torn { bytes } = found.tail
                && found.first_lsn.is_some()
            {
                self.cut = Some((name.to_string(), found.end, bytes));
            }
            // Begun, and never used. Who begins it anew sees to it that its name lasts.
            drop(segment);
            self.disk
                .remove(&name.to_string())
                .map_err(OpenError::io("removing an unused segment"))?;
            return Ok(None);
        };
        if first_lsn != expected {
            return Err(OpenError::in_segment(
                &segment,
                0,
                "it does not follow the segment before it",
            ));
        }
        let active = self.replay(segment, &found)?;
        self.end(Some(name), found.end)?;
        self.settle(active, &found, &bytes)
    }

    /// Adds the records of the last segment to what the indexes said.
    fn replay(&mut self, segment: Segment, found: &Scan<'_>) -> Result<Active, OpenError> {
        let segment = Arc::new(segment);
        let number = segment.name.last;
        let mut active = Active::new(Arc::clone(&segment), found.end, 0);
        for (offset, size, line) in &found.lines {
            let no_record =
                || OpenError::in_segment(&segment, *offset, "this is not a record of this version");
            self.lsn = line.lsn;
            if line.kind == Kind::Dropped {
                let log = decode_dropped(line.json).ok_or_else(no_record)?;
                let begun = self.index.logs.remove(&log).map(|known| known.begun);
                active.tally.count_dropped();
                active.dropped.push((log, begun));
                continue;
            }
            let record = decode(line.json).ok_or_else(no_record)?;
            let place = (*offset as u32, *size);
            if let Some(after) = self.fold(&record)?
                && self
                    .index
                    .add(&record, after, place, &self.options.retention)
            {
                active.touched.push(record.log.clone());
            }
            let place = Place {
                segment: number,
                offset: *offset as u32,
            };
            for key in &record.keys {
                if self.remembers(key.at, line.lsn) {
                    self.answers.insert(key.key, key.at, place);
                }
            }
            active.tally.count(&record, *offset as u32);
        }
        self.index.active = Some(segment);
        Ok(active)
    }

    /// What a log adds up to with a record; `None` for a record without events.
    fn fold(&self, record: &Record) -> Result<Option<Arc<WorkerState>>, OpenError> {
        let inconsistent = |fault: FoldError| OpenError::Inconsistent {
            worker_id: record.log.worker_id.to_string(),
            rule: fault.rule(),
        };
        let mut state = match self.index.logs.get(&record.log) {
            Some(known) if !record.events.is_empty() => Some((*known.state).clone()),
            _ => None,
        };
        for event in &record.events {
            match &mut state {
                Some(state) => state.apply(event).map_err(inconsistent)?,
                None => state = Some(WorkerState::begin(event).map_err(inconsistent)?),
            }
        }
        Ok(state.map(Arc::new))
    }

    /// The log ends here: it must reach as far as it certainly went.
    fn end(&self, last: Option<SegmentName>, offset: u64) -> Result<(), OpenError> {
        if self.lsn >= self.mark.lsn {
            return Ok(());
        }
        Err(OpenError::Lost {
            file: last.unwrap_or(SegmentName::one(1)).to_string(),
            offset,
            records: self.mark.lsn - self.lsn,
        })
    }

    /// Makes the last segment ready to be written to, or to be left as it is.
    fn settle(
        &mut self,
        mut active: Active,
        found: &Scan<'_>,
        bytes: &[u8],
    ) -> Result<Option<Active>, OpenError> {
        let segment = Arc::clone(&active.segment);
        // What is known to have been acknowledged was synced.
        let is_known = |(_, _, line): &&(u64, u32, Line<'_>)| line.lsn <= self.mark.lsn;
        let open = found.lines.iter().find(|line| !is_known(line));
        let from = open.map_or(found.end, |(offset, ..)| *offset);
        let end = match found.tail {
            Tail::Sealed { end } => end,
            _ => found.end,
        };
        segment
            .renew(&bytes[from as usize..end as usize], from)
            .map_err(OpenError::io("ending the last segment"))?;
        active.allocated = end;
        match found.tail {
            Tail::Torn { bytes } => {
                self.cut = Some((segment.name.to_string(), found.end, bytes));
            }
            // Its end was not cut off yet: as a whole it is read like any other.
            Tail::Sealed { .. } if !self.is_again => return self.reload(),
            Tail::Sealed { .. } => {
                let what = "its index is not one of this version";
                return Err(OpenError::in_segment(&segment, found.end, what));
            }
            Tail::Clean | Tail::Damaged { .. } => {}
        }
        Ok(Some(active))
    }

    /// Reads everything again: the last segment has its index now.
    fn reload(&mut self) -> Result<Option<Active>, OpenError> {
        self.index = Index::default();
        self.answers = Answers::default();
        self.gone.clear();
        self.lsn = 0;
        self.is_again = true;
        let names = self
            .disk
            .list()
            .map_err(OpenError::io("reading the folder"))?;
        let segments = segments::counted(self.disk, &names)?;
        self.read(&segments)
    }
}

fn not_sealed(segment: &Segment, size: u64) -> OpenError {
    OpenError::in_segment(segment, size, "its last line is not a seal")
}
