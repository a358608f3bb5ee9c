//! Taking off the disk what is given up: segments next to each other are written anew as one, with
//! what is still wanted of them.
//!
//! The new file counts once it has its name, and the old ones from then on for nothing, whether or
//! not they are still there: at every moment one of the two is whole.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::footer::{Extent, FooterBuilder};
use super::gather::{Contents, Item};
use super::index::Sealed;
use super::line::{Kind, Line};
use super::name::{SegmentName, unfinished};
use super::read::{Fault, fault};
use super::record::{decode, encode};
use super::retain::wanted;
use super::segment::{Seal, Segment, Unreadable};
use super::shared::{Place, Shared};
use super::table::{AnswerRef, Ref};
use crate::store::LogId;

/// How much is written at once.
const WRITE_BYTES: usize = 1024 * 1024;
/// How large the records of a segment may become, so that there is room for its index below what
/// an offset can say.
const MOST_BYTES: u64 = 1 << 31;

/// Why segments were not made one.
#[derive(Debug)]
pub(super) enum NotCompacted {
    /// What is there could not be read.
    Read(Fault),
    /// The new file could not be written. Nothing is changed.
    Refused(io::Error),
    /// The disk did not do what it was asked to.
    Unsynced(io::Error),
}

/// Makes these segments one.
pub(super) fn compact(shared: &Shared, run: &[Sealed]) -> Result<(), NotCompacted> {
    let Some((first, last)) = run.first().zip(run.last()) else {
        return Ok(());
    };
    let name = SegmentName {
        first: first.segment.name.first,
        last: last.segment.name.last,
    };
    let temporary = unfinished(&name.to_string());
    let written = write(shared, run, name, &temporary);
    let (sealed, moved, answers) = match written {
        Ok(written) => written,
        Err(error) => {
            // What is left of it counts for nothing; the next start takes it away.
            let _ = shared.disk.remove(&temporary);
            return Err(error);
        }
    };
    let disk = &*shared.disk;
    disk.rename(&temporary, &name.to_string())
        .map_err(NotCompacted::Refused)?;
    disk.sync_folder().map_err(NotCompacted::Unsynced)?;
    publish(shared, run, sealed, moved, &answers);
    settle(shared, name.last);
    for old in run {
        if old.segment.name != name {
            // The next start takes away what stays.
            let _ = disk.remove(&old.segment.name.to_string());
        }
    }
    Ok(())
}

/// Where the records of a log are in the new segment.
type Moved = HashMap<LogId, Vec<Extent>>;
type Written = (Sealed, Moved, Vec<AnswerRef>);

fn write(
    shared: &Shared,
    run: &[Sealed],
    name: SegmentName,
    temporary: &str,
) -> Result<Written, NotCompacted> {
    let contents = Contents::gather(shared, run).map_err(NotCompacted::Read)?;
    // Left over from an attempt before.
    let _ = shared.disk.remove(temporary);
    let file = shared
        .disk
        .create(temporary)
        .map_err(NotCompacted::Refused)?;
    let segment = Arc::new(Segment::new(&shared.identity, name, file));
    let lsn = run.last().map_or(0, |last| last.lsn);
    let mut out = Output {
        shared,
        segment: &segment,
        buffer: Segment::first_line(&shared.identity, name, contents.first_lsn, true),
        written: 0,
    };
    let mut refs: HashMap<&LogId, Vec<Ref>> = HashMap::new();
    let mut answers = Vec::new();
    let mut records = 0;
    let Contents {
        logs,
        items,
        dropped,
        ..
    } = &contents;
    for ((source, offset), item) in items {
        let source = &run[*source].segment;
        let (at, size) = out.copy(source, *offset, item)?;
        records += 1;
        if let Some((log, one)) = &item.events {
            let moved = Ref {
                offset: at,
                size,
                ..*one
            };
            refs.entry(&logs[*log].log).or_default().push(moved);
        }
        answers.extend(item.answers.iter().map(|answer| AnswerRef {
            offset: at,
            ..*answer
        }));
    }
    let start = out.end();
    let mut builder = FooterBuilder::new(&segment, lsn, start);
    let mut moved = Moved::new();
    for log in logs {
        let refs = refs.remove(&log.log).unwrap_or_default();
        if refs.is_empty() && log.state.is_none() {
            continue;
        }
        let extents = builder.log(&log.log, &refs, log.last_seq, log.state.as_ref());
        moved.insert(log.log.clone(), extents);
    }
    for (log, since) in dropped {
        builder.dropped(log, *since);
    }
    let seal = Seal {
        index: start,
        records,
        answers: answers.len() as u64,
        times: contents.times,
    };
    out.buffer.extend(builder.finish(&answers, seal.clone()));
    out.flush()?;
    let size = out.written;
    segment.file.sync().map_err(NotCompacted::Unsynced)?;
    let has_events = moved.values().any(|extents| !extents.is_empty());
    let sealed = Sealed::new(segment, seal, lsn, size, has_events);
    Ok((sealed, moved, answers))
}

struct Output<'a> {
    shared: &'a Shared,
    segment: &'a Segment,
    buffer: Vec<u8>,
    written: u64,
}

impl Output<'_> {
    fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Copies what is wanted of a record, once it is seen to be whole; gives where it is now.
    fn copy(
        &mut self,
        source: &Segment,
        offset: u32,
        item: &Item,
    ) -> Result<(u32, u32), NotCompacted> {
        let offset = u64::from(offset);
        let mut read = || {
            let bytes = match item.events {
                Some((_, one)) => source.bytes(offset, one.size as usize)?,
                None => source.bytes_from(offset)?,
            };
            let line = source.line(&bytes, offset, Kind::Record)?;
            let json = match item.events {
                Some(_) => None,
                None => Some(answers_alone(line.json, item).ok_or(Unreadable::Damaged { offset })?),
            };
            let start = self.buffer.len();
            let line = Line {
                json: json.as_deref().unwrap_or(line.json),
                ..line
            };
            line.write(self.segment.salt, &mut self.buffer);
            Ok(start)
        };
        let before = self.written;
        let start = read().map_err(fault(source)).map_err(NotCompacted::Read)?;
        let size = (self.buffer.len() - start) as u32;
        let at = (before + start as u64) as u32;
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        if self.shared.is_closing() {
            return Err(NotCompacted::Refused(io::ErrorKind::Interrupted.into()));
        }
        if self.end() > MOST_BYTES {
            return Err(NotCompacted::Refused(io::ErrorKind::FileTooLarge.into()));
        }
        Ok((at, size))
    }

    fn flush(&mut self) -> Result<(), NotCompacted> {
        let file = &self.segment.file;
        file.write_at(&self.buffer, self.written)
            .map_err(NotCompacted::Refused)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A record without its events, and with those answers that are still wanted.
fn answers_alone(json: &[u8], item: &Item) -> Option<Vec<u8>> {
    let mut record = decode(json)?;
    record.events.clear();
    let is_wanted = |key: &[u8; 32]| item.answers.iter().any(|answer| answer.key == *key);
    record.keys.retain(|one| is_wanted(&one.key));
    encode(&record)
}

/// Learns how much a segment takes that holds only what is wanted, so that it is not written anew
/// before some of it is not.
fn settle(shared: &Shared, number: u32) {
    let mut index = shared.index_mut();
    let wanted = wanted(&index, shared.answers_from());
    if let Some(sealed) = index.sealed.get_mut(&number) {
        let taken = wanted.get(&number).map_or(0, |wanted| wanted.bytes());
        sealed.overhead += sealed.size.saturating_sub(taken);
    }
}

/// Lets everybody read the new segment in place of the old ones.
fn publish(
    shared: &Shared,
    run: &[Sealed],
    sealed: Sealed,
    mut moved: Moved,
    answers: &[AnswerRef],
) {
    let number = sealed.segment.name.last;
    let is_old = |segment: u32| run.iter().any(|old| old.segment.name.last == segment);
    let mut index = shared.index_mut();
    for (log, known) in &mut index.logs {
        let new = moved.remove(log).unwrap_or_default();
        let place = known
            .extents
            .iter()
            .position(|extent| is_old(extent.segment));
        if let Some(place) = place {
            known.extents.retain(|extent| !is_old(extent.segment));
            // What was given up meanwhile is not wanted again.
            let wanted = new
                .into_iter()
                .filter(|extent| extent.last_seq >= known.floor);
            for (index, extent) in wanted.enumerate() {
                known.extents.insert(place + index, extent);
            }
            known.count();
        }
        if is_old(known.home) {
            known.home = number;
        }
        if is_old(known.begun) {
            known.begun = number;
        }
    }
    for old in run {
        index.sealed.remove(&old.segment.name.last);
    }
    index.sealed.insert(number, sealed);
    index.changes += 1;
    // Together with the index: the new segment can have the number of one of the old ones.
    let mut known = shared.answers();
    for answer in answers {
        let place = Place {
            segment: number,
            offset: answer.offset,
        };
        // One that expired meanwhile, or was given anew, stays as it is.
        if known
            .get(&answer.key)
            .is_some_and(|place| is_old(place.segment))
        {
            known.replace(&answer.key, place);
        }
    }
}
