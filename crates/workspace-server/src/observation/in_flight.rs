//! What a run in flight has said since its last entry: as text, and as offsets alone.

use std::collections::BTreeMap;

use yoi_protocol::{InFlight, RunId, ToolArguments};

/// One text that deltas add up to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stream {
    pub(crate) kind: String,
    pub(crate) run_id: String,
    pub(crate) call_id: Option<String>,
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

/// What an event does to the texts in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A run begins: nothing is said yet.
    RunStarted(RunId),
    /// What was said is an entry now: every offset is 0 again.
    EntryAppended,
    /// Nothing is in flight any more.
    RunFinished,
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
            Mark::RunStarted(_) | Mark::EntryAppended | Mark::RunFinished => self.0.clear(),
            Mark::Other => {}
        }
    }

    /// Whether no text here goes further than in `other`.
    pub(crate) fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|(stream, end)| *end <= other.get(stream))
    }
}

/// The texts in flight, kept up to date from frames.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fold(Option<InFlight>);

impl Fold {
    pub(crate) fn new(in_flight: Option<InFlight>) -> Self {
        Self(in_flight)
    }

    pub(crate) fn in_flight(&self) -> Option<InFlight> {
        self.0.clone()
    }

    pub(crate) fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::RunStarted(run_id) => self.0 = Some(silent(run_id.clone())),
            Mark::EntryAppended => {
                if let Some(in_flight) = &mut self.0 {
                    *in_flight = silent(in_flight.run_id.clone());
                }
            }
            Mark::RunFinished => self.0 = None,
            Mark::Other => {}
        }
    }

    /// Adds a piece; `false` when it leaves a hole, overlaps, or is of another run than the one in
    /// flight.
    pub(crate) fn add(&mut self, piece: &Piece) -> bool {
        // A Runtime may say that nothing is in flight while a run has said nothing yet.
        if self.0.is_none() {
            self.0 = RunId::parse(&piece.stream.run_id).ok().map(silent);
        }
        let Some(in_flight) = &mut self.0 else {
            return false;
        };
        if in_flight.run_id.as_str() != piece.stream.run_id {
            return false;
        }
        let text = match (piece.stream.kind.as_str(), &piece.stream.call_id) {
            ("text", _) => &mut in_flight.text,
            ("thinking", _) => &mut in_flight.thinking,
            ("tool_arguments", Some(call_id)) => argument(&mut in_flight.tool_arguments, call_id),
            // A newer version's text is passed on, but has no place in what is told to joiners.
            _ => return true,
        };
        let joins = piece.offset == text.len() as u64;
        if joins {
            text.push_str(&piece.text);
        }
        joins
    }
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
