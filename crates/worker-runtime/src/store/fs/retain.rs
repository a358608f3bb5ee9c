//! What is too old, or too much: given up here, taken off the disk by `compact.rs`.

use std::collections::HashMap;

use yoi_protocol::Timestamp;

use super::index::{Index, Sealed};
use super::options::Retention;

/// What a Worker's state takes in an index, about.
const STATE_BYTES: u64 = 512;
/// What an answer takes whose events are given up, about.
const ANSWER_BYTES: u64 = 512;

/// How much of a segment is still wanted, about, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// Events, which can be given up, and their part of the index.
    pub(super) events: u64,
    /// Answers and states, which cannot.
    rest: u64,
}

impl Wanted {
    pub(super) fn bytes(self) -> u64 {
        self.events.saturating_add(self.rest)
    }

    /// The same of a segment that takes so much more, and `size` at the most: each has its part.
    fn with(self, overhead: u64, size: u64) -> Self {
        let (known, all) = (
            self.bytes(),
            self.bytes().saturating_add(overhead).min(size),
        );
        if known == 0 {
            return Self {
                events: 0,
                rest: all,
            };
        }
        let events = u128::from(self.events) * u128::from(all) / u128::from(known);
        let events = u64::try_from(events).unwrap_or(all);
        Self {
            events,
            rest: all - events,
        }
    }
}

/// How much of each sealed segment is still wanted, by its last number.
pub(super) fn wanted(index: &Index, answers_from: Option<Timestamp>) -> HashMap<u32, Wanted> {
    let mut wanted: HashMap<u32, Wanted> = HashMap::new();
    for (number, sealed) in &index.sealed {
        let is_over =
            |(_, last): (Timestamp, Timestamp)| answers_from.is_some_and(|from| last < from);
        let answers = match sealed.seal.times {
            Some(times) if !is_over(times) => sealed.seal.answers,
            _ => 0,
        };
        let rest = answers.saturating_mul(ANSWER_BYTES).min(sealed.size);
        wanted.insert(*number, Wanted { events: 0, rest });
    }
    for log in index.logs.values() {
        if let Some(wanted) = wanted.get_mut(&log.home) {
            wanted.rest += STATE_BYTES;
        }
        for extent in &log.extents {
            if let Some(wanted) = wanted.get_mut(&extent.segment) {
                wanted.events += u64::from(extent.bytes);
            }
        }
    }
    for (number, wanted) in &mut wanted {
        if let Some(sealed) = index.sealed.get(number) {
            *wanted = wanted.with(sealed.overhead, sealed.size);
        }
    }
    wanted
}

/// The last segment that is too old, or too much; `None` when nothing more is to be given up.
pub(super) fn too_old(
    index: &Index,
    retention: &Retention,
    now: Timestamp,
    answers_from: Option<Timestamp>,
) -> Option<u32> {
    let by_age = retention.max_age_ms.and_then(|max_age_ms| {
        let is_old = |sealed: &Sealed| {
            let times = sealed.seal.times;
            times.is_none_or(|(_, last)| now.ms_since(last) > max_age_ms)
        };
        let old = index.sealed.iter().take_while(|(_, sealed)| is_old(sealed));
        old.last().map(|(number, _)| *number)
    });
    let by_bytes = retention
        .max_bytes
        .and_then(|max_bytes| too_much(index, max_bytes, answers_from));
    by_age.max(by_bytes).filter(|last| *last > index.given_up)
}

/// What cannot be given up has its part of `max_bytes`, but no more than half: events must not all
/// go because of answers that stay.
fn too_much(index: &Index, max_bytes: u64, answers_from: Option<Timestamp>) -> Option<u32> {
    let mut wanted: Vec<(u32, Wanted)> = wanted(index, answers_from).into_iter().collect();
    wanted.sort_unstable_by_key(|(number, _)| *number);
    let of_all =
        |part: fn(&Wanted) -> u64| -> u64 { wanted.iter().map(|(_, one)| part(one)).sum() };
    let rest = of_all(|wanted| wanted.rest);
    let most = max_bytes.saturating_sub(rest).max(max_bytes / 2);
    let mut events = of_all(|wanted| wanted.events);
    let mut last = None;
    for (number, wanted) in wanted {
        if events <= most {
            break;
        }
        events -= wanted.events;
        last = Some(number);
    }
    last
}

/// Gives up the events of all segments up to this one.
pub(super) fn give_up(index: &mut Index, last: u32) {
    for log in index.logs.values_mut() {
        log.give_up(last);
    }
    index.given_up = last;
    index.changes += 1;
}
