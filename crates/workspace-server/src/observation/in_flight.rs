//! What a run in flight has said since its last entry: as text, and as offsets alone.

use std::collections::{BTreeMap, BTreeSet};

use yoi_protocol::{Delta, InFlight, RunId, ToolArguments};

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
    /// The piece as a delta of the contract; `None` for a kind that this version does not know.
    pub(crate) fn to_delta(&self) -> Option<Delta> {
        let run_id = RunId::parse(&self.stream.run_id).ok()?;
        let (offset, text) = (self.offset, self.text.clone());
        match (self.stream.kind.as_str(), &self.stream.call_id) {
            ("text", _) => Some(Delta::Text {
                run_id,
                offset,
                text,
            }),
            ("thinking", _) => Some(Delta::Thinking {
                run_id,
                offset,
                text,
            }),
            ("tool_arguments", Some(call_id)) => Some(Delta::ToolArguments {
                run_id,
                call_id: call_id.clone(),
                offset,
                text,
            }),
            _ => None,
        }
    }

    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.text.len() as u64)
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

    /// What is missing here of what is in flight in truth, which is taken over; `None`, and nothing
    /// is, when the two do not belong together.
    pub(crate) fn catch_up(&mut self, in_flight: Option<InFlight>) -> Option<Vec<Piece>> {
        let said_nothing = |known: &InFlight| size(known) == 0;
        let known = self.in_flight.as_ref();
        let Some(now) = in_flight else {
            // A Runtime may say that nothing is in flight while a run has said nothing yet.
            return known.is_none_or(said_nothing).then(Vec::new);
        };
        let missing = match known {
            Some(known) if known.run_id == now.run_id => missing(known, &now)?,
            Some(known) if !said_nothing(known) => return None,
            Some(_) | None => missing(&silent(now.run_id.clone()), &now)?,
        };
        let bytes = size(&now);
        if bytes > self.max_bytes || now.tool_arguments.len() > MAX_TEXTS {
            return None;
        }
        self.bytes = bytes;
        self.in_flight = Some(now);
        Some(missing)
    }

    fn is_bounded(&self, texts: usize) -> bool {
        self.bytes <= self.max_bytes && texts <= MAX_TEXTS
    }
}

/// What `now` says beyond what is `known` of the same run; `None` when it does not go on from there.
fn missing(known: &InFlight, now: &InFlight) -> Option<Vec<Piece>> {
    let told = |call_id: &String| {
        let mut known = known.tool_arguments.iter();
        let tool = known.find(|tool| tool.call_id == *call_id);
        tool.map_or("", |tool| tool.text.as_str())
    };
    let is_there = |call_id: &String| now.tool_arguments.iter().any(|it| it.call_id == *call_id);
    let mut tools = known.tool_arguments.iter();
    if !tools.all(|tool| is_there(&tool.call_id)) {
        return None;
    }
    let texts = [
        ("thinking", None, known.thinking.as_str(), &now.thinking),
        ("text", None, known.text.as_str(), &now.text),
    ];
    let tools = now.tool_arguments.iter().map(|tool| {
        let call_id = &tool.call_id;
        ("tool_arguments", Some(call_id), told(call_id), &tool.text)
    });
    let mut missing = Vec::new();
    for (kind, call_id, told, text) in texts.into_iter().chain(tools) {
        let rest = text.strip_prefix(told)?;
        if !rest.is_empty() {
            missing.push(Piece {
                stream: Stream {
                    kind: kind.to_owned(),
                    run_id: now.run_id.as_str().to_owned(),
                    call_id: call_id.cloned(),
                },
                offset: told.len() as u64,
                text: rest.to_owned(),
            });
        }
    }
    Some(missing)
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
