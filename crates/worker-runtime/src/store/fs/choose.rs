//! Which segments are worth being made one: those of which little is wanted, and those that are
//! small.

use std::collections::HashMap;

use yoi_protocol::Timestamp;

use super::index::{Index, Sealed};
use super::retain::{Wanted, wanted};

/// How many small segments next to each other are worth being made one.
const MANY: usize = 8;

/// Segments next to each other that are worth being made one: the oldest such. Those that hold
/// events span no more than `max_span_ms` together, since they are given up together.
pub(super) fn choose(
    index: &Index,
    segment_bytes: u64,
    max_span_ms: u64,
    answers_from: Option<Timestamp>,
) -> Vec<Sealed> {
    let wanted = wanted(index, answers_from);
    let run = Run {
        wanted: &wanted,
        segment_bytes,
        max_span_ms,
        sealed: Vec::new(),
    };
    run.choose(index).into_iter().cloned().collect()
}

/// Some segments next to each other.
struct Run<'a> {
    wanted: &'a HashMap<u32, Wanted>,
    segment_bytes: u64,
    max_span_ms: u64,
    sealed: Vec<&'a Sealed>,
}

impl<'a> Run<'a> {
    fn choose(mut self, index: &'a Index) -> Vec<&'a Sealed> {
        for sealed in index.sealed.values() {
            let is_candidate = self.is_candidate(sealed);
            if is_candidate && self.takes(sealed) {
                self.sealed.push(sealed);
                continue;
            }
            if self.is_worth_it() {
                break;
            }
            self.sealed.clear();
            if is_candidate {
                self.sealed.push(sealed);
            }
        }
        if self.is_worth_it() {
            self.sealed
        } else {
            Vec::new()
        }
    }

    fn of(&self, sealed: &Sealed) -> Wanted {
        let number = sealed.segment.name.last;
        self.wanted.get(&number).copied().unwrap_or_default()
    }

    /// Whether all its events are given up, and still on the disk.
    fn is_dead(&self, sealed: &Sealed) -> bool {
        sealed.has_events && self.of(sealed).events == 0
    }

    fn is_candidate(&self, sealed: &Sealed) -> bool {
        let kept = self.of(sealed).bytes();
        kept * 2 <= sealed.size || kept <= self.segment_bytes / 8 || self.is_dead(sealed)
    }

    /// Whether it can be one with those that are here.
    fn takes(&self, sealed: &Sealed) -> bool {
        let all = || self.sealed.iter().copied().chain([sealed]);
        let kept: u64 = all().map(|one| self.of(one).bytes()).sum();
        let with_events = all().filter(|one| self.of(one).events > 0);
        let times = with_events.filter_map(|one| one.seal.times);
        let span = times.reduce(|(first, last), (one, other)| (first.min(one), last.max(other)));
        let span_ms = span.map_or(0, |(first, last)| last.ms_since(first));
        kept <= self.segment_bytes && span_ms <= self.max_span_ms
    }

    fn is_worth_it(&self) -> bool {
        let size: u64 = self.sealed.iter().map(|sealed| sealed.size).sum();
        let kept: u64 = self.sealed.iter().map(|one| self.of(one).bytes()).sum();
        let waste = size.saturating_sub(kept);
        self.sealed.len() >= MANY
            || (waste * 2 >= size && waste * 2 >= self.segment_bytes)
            || self.sealed.iter().any(|one| self.is_dead(one))
    }
}
