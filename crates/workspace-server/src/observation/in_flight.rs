//! What a run in flight has said since its last entry: as text, and as offsets alone.

use std::collections::{BTreeMap, BTreeSet};

use yoi_protocol::{InFlight, RunId, ToolArguments};

/// One text that deltas add up to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stream {
    pub(crate) kind: String,
    pub(crate) run_id: String,
    pub(crate) call_id: Option<String>,
}

impl Stream {
    fn size(&self) -> usize {
        let call_id = self.call_id.as_ref().map_or(0, String::len);
        OVERHEAD + self.kind.len() + self.run_id.len() + call_id
    }
}

/// One delta with its place.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) stream: Stream,
    pub(crate) offset: u64,
    pub(crate) text: String,
}

impl Piece {
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }
}

/// What an event does to the texts in flight, and whether it is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A run begins: nothing is said yet.
    RunStarted(RunId),
    /// What was said is an entry now: every offset is 0 again.
    EntryAppended,
    /// Nothing is in flight any more.
    RunFinished,
    /// Nothing is in flight, and nothing follows.
    Stopped,
    /// Nothing.
    Other,
}

/// How far each text in flight goes, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offsets(BTreeMap<Stream, u64>);

impl Offsets {
    pub(crate) fn of(in_flight: Option<&InFlight>) -> Self {
        let mut offsets = Self::default();
        let Some(in_flight) = in_flight else {
            return offsets;
        };
        let stream = |kind: &str, call_id: Option<&String>| Stream {
            kind: kind.to_owned(),
            run_id: in_flight.run_id.as_str().to_owned(),
            call_id: call_id.cloned(),
        };
        let texts = [("text", &in_flight.text), ("thinking", &in_flight.thinking)]
            .map(|(kind, text)| (stream(kind, None), text));
        let arguments = in_flight
            .tool_arguments
            .iter()
            .map(|tool| (stream("tool_arguments", Some(&tool.call_id)), &tool.text));
        for (stream, text) in texts.into_iter().chain(arguments) {
            offsets.reach(stream, text.len() as u64);
        }
        offsets
    }

    pub(crate) fn get(&self, stream: &Stream) -> u64 {
        self.0.get(stream).copied().unwrap_or(0)
    }

    /// Moves a text's end on to `end`; never back.
    pub(crate) fn reach(&mut self, stream: Stream, end: u64) {
        if end > 0 {
            let at = self.0.entry(stream).or_insert(0);
            *at = end.max(*at);
        }
    }

    pub(crate) fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::RunStarted(_) | Mark::EntryAppended | Mark::RunFinished | Mark::Stopped => {
                self.0.clear();
            }
            Mark::Other => {}
        }
    }

    /// Whether no text here goes further than in `other`.
    pub(crate) fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|(stream, end)| *end <= other.get(stream))
    }
}

/// The most texts in flight at a time.
const MAX_TEXTS: usize = 4096;
/// What each text in flight costs beside what it says.
const OVERHEAD: usize = 64;

/// The texts in flight, kept up to date from frames, within a bound: a Runtime that never sets
/// them back cannot use up its Backend's memory. What bounds these bounds [`Offsets`] as well,
/// which move with the same pieces.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    in_flight: Option<InFlight>,
    /// The texts whose kind only a newer version knows: they have no place in what is told.
    unknown: BTreeSet<Stream>,
    bytes: usize,
    max_bytes: usize,
}

impl Fold {
    pub(crate) fn new(in_flight: Option<InFlight>, max_bytes: usize) -> Self {
        Self {
            bytes: in_flight.as_ref().map_or(0, size),
            in_flight,
            unknown: BTreeSet::new(),
            max_bytes,
        }
    }

    pub(crate) fn in_flight(&self) -> Option<InFlight> {
        self.in_flight.clone()
    }

    pub(crate) fn mark(&mut self, mark: &Mark) {
        self.in_flight = match (mark, self.in_flight.take()) {
            (Mark::RunStarted(run_id), _) => Some(silent(run_id.clone())),
            (Mark::EntryAppended, in_flight) => in_flight.map(|it| silent(it.run_id)),
            (Mark::RunFinished | Mark::Stopped, _) => None,
            (Mark::Other, in_flight) => {
                self.in_flight = in_flight;
                return;
            }
        };
        self.unknown.clear();
        self.bytes = 0;
    }

    /// Adds a piece; `false` when it leaves a hole, overlaps, is of another run than the one in
    /// flight, or is more than may be in flight.
    pub(crate) fn add(&mut self, piece: &Piece) -> bool {
        // A Runtime may say that nothing is in flight while a run has said nothing yet.
        if self.in_flight.is_none() {
            self.in_flight = RunId::parse(&piece.stream.run_id).ok().map(silent);
        }
        let Some(in_flight) = &mut self.in_flight else {
            return false;
        };
        if in_flight.run_id.as_str() != piece.stream.run_id {
            return false;
        }
        let texts = in_flight.tool_arguments.len() + self.unknown.len();
        let text = match (piece.stream.kind.as_str(), &piece.stream.call_id) {
            ("text", _) => &mut in_flight.text,
            ("thinking", _) => &mut in_flight.thinking,
            ("tool_arguments", Some(call_id)) => argument(&mut in_flight.tool_arguments, call_id),
            // A newer version's text is passed on, but has no place in what is told to joiners.
            _ => {
                if self.unknown.insert(piece.stream.clone()) {
                    self.bytes += piece.stream.size();
                }
                return self.is_bounded(texts);
            }
        };
        if piece.offset != text.len() as u64 {
            return false;
        }
        if text.is_empty() {
            self.bytes += piece.stream.size();
        }
        text.push_str(&piece.text);
        self.bytes += piece.text.len();
        self.is_bounded(texts)
    }

    fn is_bounded(&self, texts: usize) -> bool {
        self.bytes <= self.max_bytes && texts <= MAX_TEXTS
    }
}

/// What texts in flight cost.
fn size(in_flight: &InFlight) -> usize {
    let arguments = in_flight.tool_arguments.iter();
    let arguments: usize = arguments
        .map(|tool| OVERHEAD + tool.call_id.len() + tool.text.len())
        .sum();
    in_flight.text.len() + in_flight.thinking.len() + arguments
}

fn silent(run_id: RunId) -> InFlight {
    InFlight {
        run_id,
        text: String::new(),
        thinking: String::new(),
        tool_arguments: Vec::new(),
    }
}

fn argument<'a>(tools: &'a mut Vec<ToolArguments>, call_id: &str) -> &'a mut String {
    let at = tools
        .iter()
        .position(|tool| tool.call_id == call_id)
        .unwrap_or_else(|| {
            tools.push(ToolArguments {
                call_id: call_id.to_owned(),
                text: String::new(),
            });
            tools.len() - 1
        });
    &mut tools[at].text
}
