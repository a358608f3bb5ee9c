//! What is too old, or too much: given up here, taken off the disk by `compact.rs`.

use std::collections::HashMap;

use yoi_protocol::Timestamp;

use super::index::{Index, Sealed};
use super::options::Retention;

/// What a Worker's state takes in an index, about.
const STATE_BYTES: u64 = 512;
/// What an answer takes whose events are given up, about.
const ANSWER_BYTES: u64 = 512;

/// How much of each sealed segment is still wanted, about, by its last number.
pub(super) fn wanted(index: &Index, answers_from: Option<Timestamp>) -> HashMap<u32, u64> {
    let mut wanted: HashMap<u32, u64> = HashMap::new();
    for (number, sealed) in &index.sealed {
        let is_over =
            |(_, last): (Timestamp, Timestamp)| answers_from.is_some_and(|from| last < from);
        let answers = match sealed.seal.times {
            Some(times) if !is_over(times) => sealed.seal.answers,
            _ => 0,
        };
        wanted.insert(*number, answers * ANSWER_BYTES);
    }
    for log in index.logs.values() {
        if let Some(bytes) = wanted.get_mut(&log.home) {
            *bytes += STATE_BYTES;
        }
        for extent in &log.extents {
            if let Some(bytes) = wanted.get_mut(&extent.segment) {
                *bytes += u64::from(extent.bytes);
            }
        }
    }
    for (number, bytes) in &mut wanted {
        if let Some(sealed) = index.sealed.get(number) {
            *bytes = (*bytes + sealed.overhead).min(sealed.size);
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

fn too_much(index: &Index, max_bytes: u64, answers_from: Option<Timestamp>) -> Option<u32> {
    let mut wanted: Vec<(u32, u64)> = wanted(index, answers_from).into_iter().collect();
    wanted.sort_unstable();
    let mut total: u64 = wanted.iter().map(|(_, bytes)| bytes).sum();
    let mut last = None;
    for (number, bytes) in wanted {
        if total <= max_bytes {
            break;
        }
        total -= bytes;
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
