//! Reading what is there: the indexes of the sealed segments here, the records of the last one in
//! `start/last.rs`.

mod last;

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
use super::name::SegmentName;
use super::options::FsOptions;
use super::segment::{Segment, Unreadable};
use super::shared::Place;
use crate::store::LogId;
use crate::store::answers::Answers;

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
}

fn not_sealed(segment: &Segment, size: u64) -> OpenError {
    OpenError::in_segment(segment, size, "its last line is not a seal")
}
