//! What is known of the log without reading it: where each Worker's records are, and what they add
//! up to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Deref;
use std::sync::Arc;

use yoi_protocol::Timestamp;

use super::footer::Extent;
use super::options::Retention;
use super::segment::{Seal, Segment};
use super::table::Ref;
use crate::fold::WorkerState;
use crate::store::{LogId, Record};

/// The index of the whole store.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) logs: HashMap<LogId, Log>,
    /// The segments that take no more records, by their last number.
    pub(super) sealed: BTreeMap<u32, Sealed>,
    /// The one that does.
    pub(super) active: Option<Arc<Segment>>,
    /// The last number of the segments whose events are given up.
    pub(super) given_up: u32,
    /// How often segments changed, or what is wanted of them.
    pub(super) changes: u64,
}

/// A segment that takes no more records.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub(super) segment: Arc<Segment>,
    pub(super) seal: Seal,
    /// The number of its last record.
    pub(super) lsn: u64,
    pub(super) size: u64,
    /// How much of that is no waste, though nothing is known to want it: the index, and what was
    /// more than was thought when the segment was written.
    pub(super) overhead: u64,
    /// Whether there are events in it, whether or not they are given up.
    pub(super) has_events: bool,
}

impl Sealed {
    /// The segment as it was just written or read.
    pub(super) fn new(
        segment: Arc<Segment>,
        seal: Seal,
        lsn: u64,
        size: u64,
        has_events: bool,
    ) -> Self {
        let overhead = size.saturating_sub(seal.index);
        Self {
            has_events,
            segment,
            seal,
            lsn,
            size,
            overhead,
        }
    }
}

/// What is known of one log.
#[derive(Debug)]
pub(super) struct Log {
    /// What it adds up to.
    pub(super) state: Arc<WorkerState>,
    /// The last number of the newest segment whose index says what the log adds up to there; 0
    /// while none does.
    pub(super) home: u32,
    /// The last number of the oldest segment that can have anything of it.
    pub(super) begun: u32,
    /// Where its records are in segments with an index, the oldest first, without a hole.
    pub(super) extents: VecDeque<Extent>,
    /// Where they are in the segment that is written to.
    pub(super) recent: Recent,
    /// The first `seq` that is kept; one past the last when none is.
    pub(super) floor: u64,
    /// The bytes of the records that are kept.
    pub(super) bytes: u64,
}

/// Where the records of one log are in the segment that is written to. Most logs have none there,
/// and there may be a million.
#[derive(Debug, Default)]
#[expect(
    clippy::box_collection,
    reason = "three words less for each log that has none"
)]
pub(super) struct Recent(Option<Box<VecDeque<Ref>>>);

impl Deref for Recent {
    type Target = VecDeque<Ref>;

    fn deref(&self) -> &VecDeque<Ref> {
        static NONE: VecDeque<Ref> = VecDeque::new();
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl Recent {
    fn pop_front(&mut self) -> Option<Ref> {
        self.0.as_mut()?.pop_front()
    }

    fn push_back(&mut self, one: Ref) {
        self.0.get_or_insert_default().push_back(one);
    }
}

impl Log {
    pub(super) fn new(state: Arc<WorkerState>, home: u32) -> Self {
        Self {
            floor: state.seq + 1,
            state,
            home,
            begun: home,
            extents: VecDeque::new(),
            recent: Recent::default(),
            bytes: 0,
        }
    }

    /// Adds an older extent before those that are there, if it reaches up to them.
    pub(super) fn precede(&mut self, extent: Extent) {
        let next = match (self.extents.front(), self.recent.front()) {
            (Some(first), _) => first.first_seq,
            (None, Some(first)) => first.seq,
            (None, None) => self.state.seq + 1,
        };
        if extent.last_seq + 1 == next {
            self.floor = extent.first_seq;
            self.bytes += u64::from(extent.bytes);
            if self.extents.is_empty() {
                // Most logs have no other.
                self.extents.reserve_exact(1);
            }
            self.extents.push_front(extent);
        }
    }

    /// Gives up the oldest where there is more than is to be kept.
    pub(super) fn retain(&mut self, retention: &Retention) {
        let last = self.state.seq;
        let least = last.saturating_sub(retention.max_worker_events.max(1)) + 1;
        self.raise_floor(least);
        while self.bytes > retention.max_worker_bytes && self.pieces() > 1 {
            match self.extents.pop_front() {
                Some(extent) => self.bytes -= u64::from(extent.bytes),
                None => match self.recent.pop_front() {
                    Some(one) => self.bytes -= u64::from(one.size),
                    None => break,
                },
            }
            self.floor = self.floor.max(self.first_seq());
        }
    }

    /// Gives up what is in segments up to this one.
    pub(super) fn give_up(&mut self, segment: u32) {
        while let Some(extent) = self.extents.front()
            && extent.segment <= segment
        {
            self.bytes -= u64::from(extent.bytes);
            self.extents.pop_front();
        }
        self.floor = self.floor.max(self.first_seq());
    }

    /// Gives up what is before `floor`; what is partly before it stays where it is.
    pub(super) fn raise_floor(&mut self, floor: u64) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        while let Some(extent) = self.extents.front()
            && extent.last_seq < floor
        {
            self.bytes -= u64::from(extent.bytes);
            self.extents.pop_front();
        }
        if self.extents.is_empty() {
            while let (Some(one), Some(next)) = (self.recent.front(), self.recent.get(1))
                && next.seq <= floor
            {
                self.bytes -= u64::from(one.size);
                self.recent.pop_front();
            }
        }
    }

    /// Counts the bytes anew.
    pub(super) fn count(&mut self) {
        let sealed = self.extents.iter().map(|extent| u64::from(extent.bytes));
        let recent = self.recent.iter().map(|one| u64::from(one.size));
        self.bytes = sealed.chain(recent).sum();
    }

    fn pieces(&self) -> usize {
        self.extents.len() + self.recent.len()
    }

    /// The first `seq` that is there, whether or not it is to be read.
    fn first_seq(&self) -> u64 {
        match (self.extents.front(), self.recent.front()) {
            (Some(first), _) => first.first_seq,
            (None, Some(first)) => first.seq,
            (None, None) => self.state.seq + 1,
        }
    }
}

impl Index {
    /// Adds a record that lasts, and what its log adds up to with it; `place` is its offset
    /// and size in the segment that is written to. Says whether it is the log's first there.
    pub(super) fn add(
        &mut self,
        record: &Record,
        after: Arc<WorkerState>,
        place: (u32, u32),
        retention: &Retention,
    ) -> bool {
        let (offset, size) = place;
        let Some(first) = record.events.first() else {
            return false;
        };
        let entries = record.events.iter().filter(|event| event.entry().is_some());
        let reference = Ref {
            offset,
            size,
            seq: first.seq,
            sequence: after.worker.transcript_length + 1 - entries.count() as u64,
        };
        let log = match self.logs.get_mut(&record.log) {
            Some(log) => log,
            None => {
                let mut log = Log::new(Arc::clone(&after), 0);
                log.begun = self.active.as_ref().map_or(0, |active| active.name.last);
                log.floor = first.seq;
                self.logs.entry(record.log.clone()).or_insert(log)
            }
        };
        let is_first = log.recent.is_empty();
        log.state = after;
        log.bytes += u64::from(size);
        log.recent.push_back(reference);
        log.retain(retention);
        is_first
    }

    /// Ends the segment that is written to: its records are found by its own index now, each log's
    /// at these places.
    pub(super) fn seal(&mut self, sealed: Sealed, places: Vec<(LogId, Vec<Extent>)>) {
        let number = sealed.segment.name.last;
        for (log, extents) in places {
            if let Some(known) = self.logs.get_mut(&log) {
                known.recent = Recent::default();
                known.extents.reserve_exact(extents.len());
                known.extents.extend(extents);
                known.home = number;
            }
        }
        self.sealed.insert(number, sealed);
        self.changes += 1;
        self.active = None;
    }

    /// The segment that has this last number.
    pub(super) fn segment(&self, last: u32) -> Option<Arc<Segment>> {
        match self.sealed.get(&last) {
            Some(sealed) => Some(Arc::clone(&sealed.segment)),
            None => self
                .active
                .as_ref()
                .filter(|active| active.name.last == last)
                .map(Arc::clone),
        }
    }
}

/// The times that two records, or two segments, span together.
pub(super) fn span(
    times: Option<(Timestamp, Timestamp)>,
    at: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    Some(times.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
}
