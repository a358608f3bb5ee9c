//! Reading what was said: the index tells where, the disk tells what, and every line is checked
//! before anybody sees it.

use std::ops::ControlFlow;
use std::sync::Arc;

use yoi_protocol::Entry;

use super::footer::Extent;
use super::index::{Index, Log};
use super::line::Kind;
use super::record::decode;
use super::segment::{Segment, Unreadable};
use super::shared::NO_SEGMENT;
use super::table::{Ref, decode_refs};
use crate::size::json_bytes;
use crate::store::{EntryPage, EventPage, LogId, Range, Record, StoreError, StoredEvent};

/// How much is read at once where records follow each other.
const READ_BYTES: u64 = 256 * 1024;

/// By which of its two numbers a record is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The `seq` of its events.
    Seq,
    /// The `sequence` of its entries.
    Sequence,
}

impl By {
    fn of(self, one: &Ref) -> u64 {
        match self {
            Self::Seq => one.seq,
            Self::Sequence => one.sequence,
        }
    }

    fn of_extent(self, extent: &Extent) -> u64 {
        match self {
            Self::Seq => extent.first_seq,
            Self::Sequence => extent.sequence,
        }
    }
}

/// Where to read, as the index had it: segments that are replaced meanwhile can still be read.
#[derive(Debug)]
pub(super) struct Plan {
    log: LogId,
    /// The first `seq` that is kept.
    floor: u64,
    /// Where the first record is that is kept, and the number of its first entry.
    first: Option<Piece>,
    /// The number that the next entry will have.
    next_sequence: u64,
    pieces: Vec<Piece>,
}

/// Records of one log that follow each other.
#[derive(Debug, Clone)]
enum Piece {
    /// Whose places are in the index of a segment.
    Extent(Arc<Segment>, Extent),
    /// Whose places are known.
    Refs(Arc<Segment>, Vec<Ref>),
}

/// What a read came upon, and in which file.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) file: String,
    pub(super) what: Unreadable,
}

impl Index {
    /// Where to read `range` of a log; `None` when there is no such log.
    pub(super) fn plan(
        &self,
        log: &LogId,
        by: By,
        range: Range,
    ) -> Result<Option<Plan>, StoreError> {
        match self.logs.get(log) {
            None => Ok(None),
            Some(known) => self
                .plan_of(log, known, by, range)
                .ok_or(NO_SEGMENT)
                .map(Some),
        }
    }

    /// The same of a log that is there; `None` when one of its segments is not.
    fn plan_of(&self, log: &LogId, known: &Log, by: By, range: Range) -> Option<Plan> {
        let first = match (known.extents.front(), known.recent.front()) {
            (Some(extent), _) => Some(self.piece(extent)?),
            (None, Some(one)) => Some(Piece::Refs(self.active.clone()?, vec![*one])),
            (None, None) => None,
        };
        Some(Plan {
            log: log.clone(),
            floor: known.floor,
            first,
            next_sequence: known.state.worker.transcript_length + 1,
            pieces: self.pieces(known, by, range)?,
        })
    }

    fn pieces(&self, known: &Log, by: By, range: Range) -> Option<Vec<Piece>> {
        let first = match (by, known.extents.front(), known.recent.front()) {
            (By::Seq, ..) => known.floor,
            (By::Sequence, Some(first), _) => first.sequence,
            (By::Sequence, None, first) => first.map_or(0, |first| first.sequence),
        };
        let wanted = range.after.saturating_add(1).max(first);
        let enough = wanted.saturating_add(range.max_items as u64);
        // The last that begins at or before what is wanted has it.
        let last = |count: usize| count.saturating_sub(1);
        let recent = known.recent.partition_point(|one| by.of(one) <= wanted);
        let mut pieces = Vec::new();
        if recent == 0 {
            let start = known
                .extents
                .partition_point(|extent| by.of_extent(extent) <= wanted);
            for extent in known.extents.range(last(start)..) {
                if by.of_extent(extent) > enough || by.of_extent(extent) > range.until {
                    return Some(pieces);
                }
                pieces.push(self.piece(extent)?);
            }
        }
        let refs: Vec<Ref> = known
            .recent
            .range(last(recent)..)
            .take_while(|one| by.of(one) <= enough && by.of(one) <= range.until)
            .copied()
            .collect();
        if !refs.is_empty() {
            pieces.push(Piece::Refs(self.active.clone()?, refs));
        }
        Some(pieces)
    }

    fn piece(&self, extent: &Extent) -> Option<Piece> {
        Some(Piece::Extent(self.segment(extent.segment)?, *extent))
    }
}

impl Plan {
    /// Reads events.
    pub(super) fn events(&self, range: Range) -> Result<EventPage, Fault> {
        let mut page = Page::new(range);
        self.each(By::Seq, range.after, |record, _| {
            for event in record.events {
                if event.seq <= range.after || event.seq < self.floor {
                    continue;
                }
                let bytes = json_bytes(&event.event);
                if !page.push(event.seq, bytes, Arc::new(event)) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(EventPage {
            first_seq: self.floor,
            events: page.items,
        })
    }

    /// Reads entries.
    pub(super) fn entries(&self, range: Range) -> Result<EntryPage, Fault> {
        let mut page: Page<Entry> = Page::new(range);
        self.each(By::Sequence, range.after, |record, _| {
            for event in record.events {
                let bytes = json_bytes(&event.event);
                let Some(entry) = kept_entry(event, self.floor) else {
                    continue;
                };
                if entry.sequence > range.after && !page.push(entry.sequence, bytes, entry) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(EntryPage {
            first_sequence: self.first_sequence()?,
            entries: page.items,
        })
    }

    /// The first `sequence` that is kept; that of the next entry when none is.
    fn first_sequence(&self) -> Result<u64, Fault> {
        let first = match &self.first {
            None => return Ok(self.next_sequence),
            Some(Piece::Extent(_, extent)) if extent.first_seq == self.floor => extent.sequence,
            Some(Piece::Refs(_, refs)) if refs.first().is_some_and(|one| one.seq == self.floor) => {
                refs.first().map_or(self.next_sequence, |one| one.sequence)
            }
            // The floor is within it, or within one of its records.
            Some(piece) => {
                let mut first = self.next_sequence;
                let pieces = std::slice::from_ref(piece);
                self.each_of(pieces, By::Seq, self.floor - 1, |record, one| {
                    let given_up =
                        |event: &&StoredEvent| event.entry().is_some() && event.seq < self.floor;
                    let count = record.events.iter().filter(given_up).count();
                    first = one.sequence + count as u64;
                    ControlFlow::Break(())
                })?;
                first
            }
        };
        Ok(first)
    }

    /// Visits each record from the one on that has what follows `after`, checked.
    fn each(
        &self,
        by: By,
        after: u64,
        visit: impl FnMut(Record, Ref) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        self.each_of(&self.pieces, by, after, visit)
    }

    fn each_of(
        &self,
        pieces: &[Piece],
        by: By,
        after: u64,
        mut visit: impl FnMut(Record, Ref) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        for piece in pieces {
            let (segment, refs) = match piece {
                Piece::Refs(segment, refs) => (segment, refs.clone()),
                Piece::Extent(segment, extent) => (segment, refs_of(segment, extent)?),
            };
            let start = refs.partition_point(|one| by.of(one) <= after.saturating_add(1));
            let mut refs = &refs[start.saturating_sub(1)..];
            while !refs.is_empty() {
                let count = run(refs);
                let (together, rest) = refs.split_at(count);
                if self.read(segment, together, &mut visit)?.is_break() {
                    return Ok(());
                }
                refs = rest;
            }
        }
        Ok(())
    }

    /// Reads records that follow each other on the disk.
    fn read(
        &self,
        segment: &Segment,
        refs: &[Ref],
        visit: &mut impl FnMut(Record, Ref) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        let Some(first) = refs.first() else {
            return Ok(ControlFlow::Continue(()));
        };
        let size: usize = refs.iter().map(|one| one.size as usize).sum();
        let bytes = segment
            .bytes(u64::from(first.offset), size)
            .map_err(fault(segment))?;
        let mut rest = bytes.as_slice();
        for one in refs {
            let (text, after) = rest.split_at(one.size as usize);
            rest = after;
            let record = self.record(segment, text, *one).map_err(fault(segment))?;
            if visit(record, *one).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The record that is there: whole, of this log, and the one that belongs there.
    fn record(&self, segment: &Segment, text: &[u8], one: Ref) -> Result<Record, Unreadable> {
        let offset = u64::from(one.offset);
        let line = segment.line(text, offset, Kind::Record)?;
        let is_it = |record: &Record| {
            let first = record.events.first();
            record.log == self.log && first.is_some_and(|first| first.seq == one.seq)
        };
        decode(line.json)
            .filter(is_it)
            .ok_or(Unreadable::Damaged { offset })
    }
}

/// The places of an extent's records.
pub(super) fn refs_of(segment: &Segment, extent: &Extent) -> Result<Vec<Ref>, Fault> {
    let offset = u64::from(extent.at);
    let read = || {
        let bytes = segment.bytes(offset, extent.size as usize)?;
        let line = segment.line(&bytes, offset, Kind::Refs)?;
        decode_refs(line.json).ok_or(Unreadable::Damaged { offset })
    };
    read().map_err(fault(segment))
}

/// How many records from the first on follow each other on the disk, and are read at once.
fn run(refs: &[Ref]) -> usize {
    let mut count = 1;
    let mut bytes = 0;
    while let [before, next] = refs.get(count - 1..=count).unwrap_or_default() {
        bytes += u64::from(before.size);
        let follows = before.offset + before.size == next.offset;
        if !follows || bytes + u64::from(next.size) > READ_BYTES {
            break;
        }
        count += 1;
    }
    count
}

fn kept_entry(event: StoredEvent, floor: u64) -> Option<Entry> {
    if event.seq < floor {
        return None;
    }
    event.into_entry()
}

pub(super) fn fault(segment: &Segment) -> impl Fn(Unreadable) -> Fault {
    let file = segment.name;
    move |what| Fault {
        file: file.to_string(),
        what,
    }
}

/// What fits into a page; the first always does.
struct Page<T> {
    range: Range,
    bytes: u64,
    items: Vec<T>,
}

impl<T> Page<T> {
    fn new(range: Range) -> Self {
        Self {
            range,
            bytes: 0,
            items: Vec::new(),
        }
    }

    /// Adds an item, or says that the page is full.
    fn push(&mut self, number: u64, bytes: u64, item: T) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let fits = self.items.len() < self.range.max_items && self.bytes <= self.range.max_bytes;
        if number > self.range.until || !(fits || self.items.is_empty()) {
            return false;
        }
        self.items.push(item);
        true
    }
}
