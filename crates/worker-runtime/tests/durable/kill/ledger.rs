//! What the clients remember: all that they sent, and what they were told of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Answer, Command};
use crate::watch::Frame;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Input,
    Cancel,
    Stop,
}

/// What is known of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was answered that it is done.
    Acknowledged(Answer),
    /// It was sent, and no answer came.
    Doubtful,
    /// No answer came, and it was seen to be done.
    Seen,
    /// It was refused, or seen not to be done.
    Absent,
}

/// One command that was sent.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) round: u32,
    /// How much had been sent by all clients before it.
    pub(super) said: u64,
    pub(super) operation: Operation,
    pub(super) command: Command,
    pub(super) fate: Fate,
    /// The run that an input began, once that was told or seen.
    pub(super) run_id: Option<String>,
}

impl Deed {
    pub(super) fn answer(&self) -> Option<&Answer> {
        match &self.fate {
            Fate::Acknowledged(answer) => Some(answer),
            Fate::Doubtful | Fate::Seen | Fate::Absent => None,
        }
    }

    pub(super) fn is_input(&self) -> bool {
        self.operation == Operation::Input
    }

    /// What an input says.
    pub(super) fn content(&self) -> String {
        let body: Value = serde_json::from_str(&self.command.body).expect("JSON");
        body["content"].as_str().expect("an input").to_owned()
    }
}

/// One Worker, as its only client knows it. Commands come one after the other, so at most the
/// last of a round is in doubt.
#[derive(Debug)]
pub(super) struct Known {
    /// Its display name, which no other Worker has.
    pub(super) name: String,
    /// Its id; `None` while it is not known that it was made.
    pub(super) id: Option<String>,
    /// Whether its runs do not end by themselves.
    pub(super) is_slow: bool,
    /// What was sent, from its creation on.
    pub(super) deeds: Vec<Deed>,
    /// The slow run that is active.
    pub(super) active_run: Option<String>,
    /// Events that were seen, by number.
    pub(super) frames: BTreeMap<u64, Frame>,
    /// The cursors of inputs, with the run that each began.
    pub(super) cursors: Vec<(String, String)>,
}

impl Known {
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().expect("a worker that was made")
    }

    /// The place of the input that began a run.
    pub(super) fn began(&self, run_id: &str) -> Option<usize> {
        let is_it = |deed: &Deed| deed.run_id.as_deref() == Some(run_id);
        self.deeds.iter().position(is_it)
    }

    pub(super) fn last_round(&self) -> u32 {
        self.deeds.last().map_or(0, |deed| deed.round)
    }

    /// Whether it may be told more: it is there, and nobody tried to stop it.
    pub(super) fn is_open(&self) -> bool {
        let is_end = |deed: &Deed| deed.operation == Operation::Stop && deed.fate != Fate::Absent;
        self.id.is_some() && !self.deeds.iter().any(is_end)
    }

    /// Writes down what became of a command.
    pub(super) fn note(&mut self, deed: Deed) {
        let answer = deed.answer().cloned();
        self.deeds.push(deed);
        if let Some(answer) = answer {
            self.learn(self.deeds.len() - 1, &answer);
        }
    }

    /// What the answer to a deed tells of the Worker.
    pub(super) fn learn(&mut self, place: usize, answer: &Answer) {
        let deed = &mut self.deeds[place];
        match deed.operation {
            Operation::Create => self.id = Some(answer.text("worker_id")),
            Operation::Input => {
                let run_id = answer.text("run_id");
                deed.run_id = Some(run_id.clone());
                self.cursors.push((answer.text("cursor"), run_id.clone()));
                self.active_run = self.is_slow.then_some(run_id);
            }
            Operation::Cancel | Operation::Stop => self.active_run = None,
        }
    }

    /// Writes down an event; one that was seen before must be the same, to the byte.
    pub(super) fn saw(&mut self, frame: Frame) {
        let Some(seq) = frame.seq() else { return };
        match self.frames.get(&seq) {
            Some(before) => assert_eq!(before.text, frame.text, "event {seq} of {}", self.name),
            None => {
                self.frames.insert(seq, frame);
            }
        }
    }
}
