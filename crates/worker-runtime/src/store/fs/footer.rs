//! The index at the end of a segment that takes no more records: so that a start reads this, and
//! not the records.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yoi_protocol::{RuntimeId, Worker, WorkerId};

use super::line::{Kind, Line, is_number, number};
use super::segment::{Seal, Segment, Unreadable};
use super::table::{AnswerRef, Ref, decode_answers, encode_answers, encode_refs};
use crate::fold::WorkerState;
use crate::store::LogId;

/// How many references are in one line: what a read of one record has to look through.
const REFS_A_LINE: usize = 1024;
/// How many answers are in one line.
const ANSWERS_A_LINE: usize = 4096;
/// How much of the end of a file is looked at for its last line.
const LAST_BYTES: u64 = 4096;

/// Some records of one log that follow each other, in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    /// The last number of the segment.
    #[serde(skip)]
    pub(super) segment: u32,
    /// Where the line of their references is, and how long.
    pub(super) at: u32,
    pub(super) size: u32,
    #[serde(deserialize_with = "number")]
    pub(super) first_seq: u64,
    #[serde(deserialize_with = "number")]
    pub(super) last_seq: u64,
    /// The number of the first entry, or where there is none, of the next one.
    #[serde(deserialize_with = "number")]
    pub(super) sequence: u64,
    /// The bytes of the records.
    pub(super) bytes: u32,
}

/// What the index of a segment says of one log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LogLine {
    worker: WorkerId,
    life: Uuid,
    /// It was dropped in this segment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dropped: bool,
    /// Where it was dropped, the last number of the oldest segment that can have anything of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) extents: Vec<Extent>,
    /// As it is at the end of this segment; absent where a later one says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    #[serde(deserialize_with = "number")]
    seq: u64,
    worker: Worker,
}

impl LogLine {
    /// What a line says of a log.
    pub(super) fn decode(json: &[u8]) -> Option<Self> {
        let line: Self = serde_json::from_slice(json).ok()?;
        let is_possible = line
            .state
            .as_ref()
            .is_none_or(|state| is_number(state.worker.transcript_length));
        is_possible.then_some(line)
    }

    /// The log, which keeps one copy of its name with its state.
    pub(super) fn log(&self) -> LogId {
        LogId {
            worker_id: match &self.state {
                Some(state) => state.worker.worker_id.clone(),
                None => self.worker.clone(),
            },
            life: self.life,
        }
    }

    /// Whether it was dropped here.
    pub(super) fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Whether nobody needs to be told that it was dropped, once everything from the segment
    /// `first` on up to here is gone: there is nothing of it before.
    pub(super) fn is_forgotten_from(&self, first: u32) -> bool {
        // Before the first segment there is nothing of any log.
        first == 1 || self.since.is_some_and(|since| since >= first)
    }

    /// Since when there can be anything of a log that was dropped.
    pub(super) fn since(&self) -> Option<u32> {
        self.since
    }

    /// How the log is, and up to where.
    pub(super) fn state_alone(self) -> Option<(u64, Worker)> {
        self.state.map(|state| (state.seq, state.worker))
    }

    /// How the log is, of a Worker of this Runtime: its name is kept once for all of them.
    pub(super) fn take_state(&mut self, runtime: &RuntimeId) -> Option<WorkerState> {
        let State { seq, mut worker } = self.state.take()?;
        if worker.runtime_id == *runtime {
            worker.runtime_id = runtime.clone();
        }
        Some(WorkerState::resume(worker, seq))
    }
}

/// The index of a segment, as it is read.
#[derive(Debug)]
pub(super) struct Footer {
    /// The number of the last record.
    pub(super) lsn: u64,
    pub(super) seal: Seal,
    pub(super) logs: Vec<LogLine>,
    pub(super) answers: Vec<AnswerRef>,
}

/// The index of a segment, as it is made.
#[derive(Debug)]
pub(super) struct FooterBuilder {
    salt: u32,
    segment: u32,
    lsn: u64,
    start: u64,
    out: Vec<u8>,
    /// How many lines it has, which are numbered from 0: so none can be gone without a trace.
    lines: u32,
    logs: Vec<LogLine>,
}

impl FooterBuilder {
    /// An index that begins at `start` of the segment whose last number is `segment`.
    pub(super) fn new(segment: &Segment, lsn: u64, start: u64) -> Self {
        Self {
            salt: segment.salt,
            segment: segment.name.last,
            lsn,
            start,
            out: Vec::new(),
            lines: 0,
            logs: Vec::new(),
        }
    }

    /// Adds a log: its records, which follow each other up to `last_seq`, and how it is at the end
    /// of the segment unless another one says so. Gives where its records are now.
    pub(super) fn log(
        &mut self,
        log: &LogId,
        refs: &[Ref],
        last_seq: u64,
        state: Option<&WorkerState>,
    ) -> Vec<Extent> {
        let mut extents = Vec::new();
        let mut chunks = refs.chunks(REFS_A_LINE).peekable();
        while let Some(chunk) = chunks.next() {
            let Some(first) = chunk.first() else { continue };
            let next = chunks.peek().and_then(|next| next.first());
            let (at, size) = self.line(Kind::Refs, &encode_refs(chunk.iter().copied()));
            extents.push(Extent {
                segment: self.segment,
                at,
                size,
                first_seq: first.seq,
                last_seq: next.map_or(last_seq, |next| next.seq - 1),
                sequence: first.sequence,
                bytes: chunk.iter().map(|one| one.size).sum(),
            });
        }
        self.logs.push(LogLine {
            worker: log.worker_id.clone(),
            life: log.life,
            dropped: false,
            since: None,
            extents: extents.clone(),
            state: state.map(|state| State {
                seq: state.seq,
                worker: state.worker.clone(),
            }),
        });
        extents
    }

    /// Adds a log that was dropped, of which there can be anything `since` a segment.
    pub(super) fn dropped(&mut self, log: &LogId, since: Option<u32>) {
        self.logs.push(LogLine {
            worker: log.worker_id.clone(),
            life: log.life,
            dropped: true,
            since,
            extents: Vec::new(),
            state: None,
        });
    }

    /// Ends the index, and with it the segment.
    pub(super) fn finish(mut self, answers: &[AnswerRef], mut seal: Seal) -> Vec<u8> {
        for chunk in answers.chunks(ANSWERS_A_LINE) {
            self.line(Kind::Answers, &encode_answers(chunk));
        }
        for log in std::mem::take(&mut self.logs) {
            // Types of the contract always serialise; an index without one is refused at start.
            let json = serde_json::to_vec(&log).unwrap_or_default();
            self.line(Kind::Log, &json);
        }
        seal.index = self.start;
        let json = serde_json::to_vec(&seal).unwrap_or_default();
        self.line(Kind::Seal, &json);
        self.out
    }

    /// Where the line is, and how long.
    fn line(&mut self, kind: Kind, json: &[u8]) -> (u32, u32) {
        let before = self.out.len();
        let line = Line {
            kind,
            lsn: self.lsn,
            index: self.lines,
            json,
        };
        self.lines += 1;
        line.write(self.salt, &mut self.out);
        let at = self.start + before as u64;
        (at as u32, (self.out.len() - before) as u32)
    }
}

/// The lines of an index whose bytes these are, each with its place; none for one that is not whole,
/// or not the one that belongs there.
pub(super) fn lines(salt: u32, bytes: &[u8]) -> impl Iterator<Item = (u64, Option<Line<'_>>)> {
    let mut end = 0;
    let texts = bytes.split_inclusive(|byte| *byte == b'\n');
    (0..).zip(texts).map(move |(number, text)| {
        let at = end;
        end += text.len() as u64;
        let line = text
            .strip_suffix(b"\n")
            .and_then(|text| Line::parse(salt, text))
            .filter(|line| line.index == number && !line.kind.is_logged());
        (at, line)
    })
}

/// Reads the index of a segment of `size` bytes; `None` where it has none, or a part of one: its
/// last line is not a seal.
pub(super) fn read(segment: &Segment, size: u64) -> Result<Option<Footer>, Unreadable> {
    let Some((lsn, seal)) = read_seal(segment, size)? else {
        return Ok(None);
    };
    let start = seal.index;
    if start > size {
        return Err(Unreadable::Damaged { offset: start });
    }
    let bytes = segment.bytes(start, (size - start) as usize)?;
    let mut footer = Footer {
        lsn,
        seal,
        logs: Vec::new(),
        answers: Vec::new(),
    };
    for (at, line) in lines(segment.salt, &bytes) {
        let offset = start + at;
        let damaged = || Unreadable::Damaged { offset };
        let line = line.ok_or_else(damaged)?;
        match line.kind {
            Kind::Refs | Kind::Seal => {}
            Kind::Answers => footer
                .answers
                .extend(decode_answers(line.json).ok_or_else(damaged)?),
            Kind::Log => footer
                .logs
                .push(LogLine::decode(line.json).ok_or_else(damaged)?),
            Kind::Identity | Kind::Mark | Kind::Header | Kind::Record | Kind::Dropped => {
                return Err(damaged());
            }
        }
    }
    for extent in footer.logs.iter_mut().flat_map(|log| &mut log.extents) {
        extent.segment = segment.name.last;
    }
    Ok(Some(footer))
}

fn read_seal(segment: &Segment, size: u64) -> Result<Option<(u64, Seal)>, Unreadable> {
    let start = size.saturating_sub(LAST_BYTES);
    let bytes = segment.bytes(start, (size - start) as usize)?;
    let Some(text) = bytes.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let begin = text.iter().rposition(|byte| *byte == b'\n');
    let line = &text[begin.map_or(0, |at| at + 1)..];
    let seal = Line::parse(segment.salt, line)
        .filter(|line| line.kind == Kind::Seal)
        .and_then(|line| Some((line.lsn, serde_json::from_slice(line.json).ok()?)));
    Ok(seal)
}

#[cfg(test)]
mod tests;
