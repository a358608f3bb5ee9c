//! What a segment will say of its records, counted as they are written.

use yoi_protocol::Timestamp;

use super::index::span;
use super::segment::Seal;
use super::table::AnswerRef;
use crate::store::Record;

/// What a segment will say of its records.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many lines of the log there are.
    pub(super) records: u64,
    pub(super) answers: Vec<AnswerRef>,
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

impl Tally {
    /// Counts a record at `offset`.
    pub(super) fn count(&mut self, record: &Record, offset: u32) {
        self.records += 1;
        for event in &record.events {
            self.times = span(self.times, event.at);
        }
        for key in &record.keys {
            self.times = span(self.times, key.at);
            self.answers.push(AnswerRef {
                key: key.key,
                at: key.at,
                offset,
            });
        }
    }

    /// Counts that a log was dropped.
    pub(super) fn count_dropped(&mut self) {
        self.records += 1;
    }

    /// What the last line of the segment says, whose index begins at `index`.
    pub(super) fn seal(&self, index: u64) -> Seal {
        Seal {
            index,
            records: self.records,
            answers: self.answers.len() as u64,
            times: self.times,
        }
    }
}
