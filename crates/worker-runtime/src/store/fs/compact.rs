//! Taking off the disk what is given up: segments next to each other are written anew as one, with
//! what is still wanted of them.
//!
//! The new file counts once it has its name, and the old ones from then on for nothing, whether or
//! not they are still there: at every moment one of the two is whole.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use yoi_protocol::Timestamp;

use super::footer::{self, Extent, FooterBuilder};
use super::identity::NO_SALT;
use super::index::{Index, Sealed};
use super::line::{Kind, Line};
use super::name::{SegmentName, unfinished};
use super::read::{Fault, fault, refs_of};
use super::record::{decode, encode};
use super::retain::wanted;
use super::segment::{Seal, Segment, Unreadable};
use super::shared::{Place, Shared};
use super::table::{AnswerRef, Ref};
use crate::fold::WorkerState;
use crate::store::LogId;

/// How many small segments next to each other are worth being made one.
const MANY: usize = 8;
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

/// Segments next to each other that are worth being made one: the oldest such, whose records span
/// no more than `max_span_ms`, since they are given up together.
pub(super) fn choose(
    index: &Index,
    segment_bytes: u64,
    max_span_ms: u64,
    answers_from: Option<Timestamp>,
) -> Vec<Sealed> {
    let wanted = wanted(index, answers_from);
    let of = |sealed: &Sealed| wanted.get(&sealed.segment.name.last).copied().unwrap_or(0);
    let mut run: Vec<&Sealed> = Vec::new();
    let is_worth = |run: &[&Sealed]| {
        let size: u64 = run.iter().map(|sealed| sealed.size).sum();
        let kept: u64 = run.iter().map(|sealed| of(sealed)).sum();
        let waste = size.saturating_sub(kept);
        run.len() >= MANY || (waste * 2 >= size && waste * 2 >= segment_bytes)
    };
    for sealed in index.sealed.values() {
        let kept = of(sealed);
        let is_candidate = kept * 2 <= sealed.size || kept <= segment_bytes / 8;
        let together: u64 = run.iter().map(|sealed| of(sealed)).sum();
        let is_near = span_ms(run.iter().chain([&sealed])) <= max_span_ms;
        if is_candidate && is_near && together + kept <= segment_bytes {
            run.push(sealed);
            continue;
        }
        if is_worth(&run) {
            break;
        }
        run.clear();
        if is_candidate {
            run.push(sealed);
        }
    }
    if is_worth(&run) {
        run.into_iter().cloned().collect()
    } else {
        Vec::new()
    }
}

/// How long it is from the first to the last time of some segments.
fn span_ms<'a>(run: impl Iterator<Item = &'a &'a Sealed>) -> u64 {
    let times = run.filter_map(|sealed| sealed.seal.times);
    let spans = times.reduce(|(first, last), (one, other)| (first.min(one), last.max(other)));
    spans.map_or(0, |(first, last)| last.ms_since(first))
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
        buffer: Segment::first_line(&shared.identity, name, contents.first_lsn),
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
    for log in dropped {
        builder.dropped(log);
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
    let sealed = Sealed::new(segment, seal, lsn, size);
    Ok((sealed, moved, answers))
}

/// What is still wanted of the segments.
struct Contents {
    logs: Vec<Kept>,
    /// By segment, as its place in the run, and offset: so in the order in which they were written.
    items: BTreeMap<(usize, u32), Item>,
    dropped: Vec<LogId>,
    times: Option<(Timestamp, Timestamp)>,
    first_lsn: u64,
}

/// A log, and what is wanted of it.
struct Kept {
    log: LogId,
    extents: Vec<Extent>,
    last_seq: u64,
    floor: u64,
    /// The last number of the segment whose index says how it is.
    home: u32,
    /// Where no later segment says it.
    state: Option<WorkerState>,
}

/// A record that is still wanted.
#[derive(Default)]
struct Item {
    /// Its log's place among the logs, and where it was; none when only its answers are wanted.
    events: Option<(usize, Ref)>,
    answers: Vec<AnswerRef>,
}

impl Contents {
    fn gather(shared: &Shared, run: &[Sealed]) -> Result<Self, Fault> {
        let numbers: HashMap<u32, usize> = (0..)
            .zip(run)
            .map(|(index, sealed)| (sealed.segment.name.last, index))
            .collect();
        let mut logs = kept(&shared.index(), &numbers);
        let mut contents = Self {
            items: BTreeMap::new(),
            dropped: Vec::new(),
            times: None,
            first_lsn: first_lsn(run)?,
            logs: Vec::new(),
        };
        for (index, log) in logs.iter().enumerate() {
            for extent in &log.extents {
                let Some(source) = numbers.get(&extent.segment) else {
                    continue;
                };
                let refs = refs_of(&run[*source].segment, extent)?;
                let ends = refs.iter().skip(1).map(|next| next.seq - 1);
                for (one, end) in refs.iter().zip(ends.chain([extent.last_seq])) {
                    if end >= log.floor {
                        let item = Item {
                            events: Some((index, *one)),
                            answers: Vec::new(),
                        };
                        contents.items.insert((*source, one.offset), item);
                    }
                }
            }
        }
        let is_from_the_start = run
            .first()
            .is_some_and(|first| first.segment.name.first == 1);
        let by_log: HashMap<LogId, usize> = logs
            .iter()
            .enumerate()
            .map(|(index, log)| (log.log.clone(), index))
            .collect();
        for (source, sealed) in run.iter().enumerate() {
            let segment = &sealed.segment;
            let footer = footer::read(segment, sealed.size)
                .and_then(|footer| {
                    footer.ok_or(Unreadable::Damaged {
                        offset: sealed.seal.index,
                    })
                })
                .map_err(fault(segment))?;
            if let Some((first, last)) = footer.seal.times {
                contents.times = super::index::span(contents.times, first);
                contents.times = super::index::span(contents.times, last);
            }
            // Whatever somebody may ask for stays, and nothing else: neither what has expired, nor
            // what was answered anew.
            let known = shared.answers();
            for answer in footer.answers {
                let place = Place {
                    segment: segment.name.last,
                    offset: answer.offset,
                };
                if known.get(&answer.key) == Some(&place) {
                    let item = contents.items.entry((source, answer.offset)).or_default();
                    item.answers.push(answer);
                }
            }
            drop(known);
            for mut line in footer.logs {
                let log = line.log();
                if line.dropped {
                    // Before the first segment there is nothing that it could be dropped from.
                    if !is_from_the_start {
                        contents.dropped.push(log);
                    }
                } else if let Some(index) = by_log.get(&log)
                    && logs[*index].home == segment.name.last
                {
                    logs[*index].state = line.take_state(&shared.identity.runtime);
                }
            }
        }
        if contents.items.is_empty() {
            contents.times = None;
        }
        contents.logs = logs;
        Ok(contents)
    }
}

/// The number that the first of these segments begins with.
fn first_lsn(run: &[Sealed]) -> Result<u64, Fault> {
    let Some(first) = run.first() else {
        return Ok(0);
    };
    let segment = &first.segment;
    let lsn = segment.bytes_from(0).and_then(|bytes| {
        let line = bytes.strip_suffix(b"\n");
        let line = line.and_then(|line| Line::parse(NO_SALT, line));
        line.map(|line| line.lsn)
            .ok_or(Unreadable::Damaged { offset: 0 })
    });
    lsn.map_err(fault(segment))
}

/// The logs that have something in these segments.
fn kept(index: &Index, numbers: &HashMap<u32, usize>) -> Vec<Kept> {
    let mut all = Vec::new();
    for (log, known) in &index.logs {
        let extents: Vec<Extent> = known
            .extents
            .iter()
            .filter(|extent| numbers.contains_key(&extent.segment))
            .copied()
            .collect();
        if extents.is_empty() && !numbers.contains_key(&known.home) {
            continue;
        }
        all.push(Kept {
            log: log.clone(),
            last_seq: extents.last().map_or(0, |extent| extent.last_seq),
            extents,
            floor: known.floor,
            home: known.home,
            state: None,
        });
    }
    all.sort_by(|one, other| one.log.cmp(&other.log));
    all
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
        let taken = wanted.get(&number).copied().unwrap_or(0);
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
            known.bytes = known
                .extents
                .iter()
                .map(|extent| u64::from(extent.bytes))
                .sum::<u64>()
                + known
                    .recent
                    .iter()
                    .map(|one| u64::from(one.size))
                    .sum::<u64>();
        }
        if is_old(known.home) {
            known.home = number;
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
