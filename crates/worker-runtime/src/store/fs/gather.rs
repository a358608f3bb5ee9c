//! What is still wanted of some segments, before they are made one.

use std::collections::{BTreeMap, HashMap};

use yoi_protocol::Timestamp;

use super::footer::{self, Extent};
use super::identity::NO_SALT;
use super::index::{Index, Sealed, span};
use super::line::Line;
use super::read::{Fault, fault, refs_of};
use super::segment::Unreadable;
use super::shared::{Place, Shared};
use super::table::{AnswerRef, Ref};
use crate::fold::WorkerState;
use crate::store::LogId;

/// What is still wanted of the segments.
pub(super) struct Contents {
    pub(super) logs: Vec<Kept>,
    /// By segment, as its place in the run, and offset: so in the order in which they were written.
    pub(super) items: BTreeMap<(usize, u32), Item>,
    /// With since when there can be anything of them.
    pub(super) dropped: Vec<(LogId, Option<u32>)>,
    pub(super) times: Option<(Timestamp, Timestamp)>,
    pub(super) first_lsn: u64,
}

/// A log, and what is wanted of it.
pub(super) struct Kept {
    pub(super) log: LogId,
    pub(super) extents: Vec<Extent>,
    pub(super) last_seq: u64,
    pub(super) floor: u64,
    /// The last number of the segment whose index says how it is.
    pub(super) home: u32,
    /// Where no later segment says it.
    pub(super) state: Option<WorkerState>,
}

/// A record that is still wanted.
#[derive(Default)]
pub(super) struct Item {
    /// Its log's place among the logs, and where it was; none when only its answers are wanted.
    pub(super) events: Option<(usize, Ref)>,
    pub(super) answers: Vec<AnswerRef>,
}

impl Contents {
    pub(super) fn gather(shared: &Shared, run: &[Sealed]) -> Result<Self, Fault> {
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
        let start = run.first().map_or(1, |first| first.segment.name.first);
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
                contents.times = span(contents.times, first);
                contents.times = span(contents.times, last);
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
                if line.is_dropped() {
                    if !line.is_forgotten_from(start) {
                        contents.dropped.push((log, line.since()));
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
