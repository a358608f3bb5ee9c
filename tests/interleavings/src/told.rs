//! What one observer was told, held against what the contract says of every observation.

use yoi_protocol::{Control, Delta, Event, EventFrame, Frame, Role, WorkerStatus};

/// What one observer was told so far. Panics at the first word that is wrong.
#[derive(Debug)]
pub struct Told {
    /// Of the last event; none before a first snapshot.
    seq: Option<u64>,
    joined: Option<Joined>,
    /// What the run has said since its last entry, as far as this observer can know.
    said: Option<String>,
    is_over: bool,
}

/// Where the past met what is live.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joined {
    /// After this event,
    pub seq: u64,
    /// and after this was said; nothing when nothing was in flight.
    pub said: Option<String>,
}

impl Joined {
    /// After the event `seq`, with so much in flight.
    #[must_use]
    pub fn at(seq: u64, said: Option<&str>) -> Self {
        let said = said.map(str::to_owned);
        Self { seq, said }
    }
}

/// How far observers get.
#[derive(Debug, Clone)]
pub struct Until {
    /// To this event,
    pub seq: u64,
    /// and to this that was said after it; nothing when no run is active.
    pub said: Option<String>,
}

/// What a run does next.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// It says a piece.
    Say(&'static str),
    /// What it said becomes an entry.
    Append,
    /// The same, and it ends, and its Worker with it: four events.
    Stop,
}

impl Until {
    /// After `steps` of a run that had said `said` since the event `seq`.
    #[must_use]
    pub fn after(seq: u64, said: &str, steps: &[Step]) -> Self {
        let mut until = Self {
            seq,
            said: Some(said.to_owned()),
        };
        for step in steps {
            match step {
                Step::Say(piece) => until.said.get_or_insert_default().push_str(piece),
                Step::Append => {
                    until.seq += 1;
                    until.said = Some(String::new());
                }
                Step::Stop => {
                    until.seq += 4;
                    until.said = None;
                }
            }
        }
        until
    }
}

impl Told {
    /// Nothing, to somebody who begins with a snapshot.
    #[must_use]
    pub fn from_snapshot() -> Self {
        Self {
            seq: None,
            joined: None,
            said: None,
            is_over: false,
        }
    }

    /// Nothing, to somebody who knows all up to the event `seq`.
    #[must_use]
    pub fn after(seq: u64) -> Self {
        Self {
            seq: Some(seq),
            ..Self::from_snapshot()
        }
    }

    /// Takes a frame.
    ///
    /// # Panics
    /// It is not what must come next.
    pub fn hear(&mut self, text: &[u8]) {
        match serde_json::from_slice(text).expect("a frame") {
            Frame::Event(frame) => self.event(frame),
            Frame::Delta(frame) => self.delta(frame.delta),
            Frame::Control(frame) => self.control(frame.control),
            other => panic!("nobody said {other:?}"),
        }
    }

    fn event(&mut self, frame: EventFrame) {
        assert!(!self.is_over, "nothing follows the end of a worker");
        match self.seq {
            Some(last) => assert_eq!(frame.seq, last + 1, "a gap, or an event twice"),
            None => assert!(matches!(frame.event, Event::Snapshot { .. })),
        }
        self.seq = Some(frame.seq);
        match frame.event {
            Event::Snapshot { worker, .. } => {
                self.is_over = worker.status == WorkerStatus::Stopped;
            }
            Event::RunStarted { .. } => self.said = Some(String::new()),
            Event::EntryAppended { entry } if self.joined.is_some() => {
                assert_eq!(entry.role, Role::Assistant);
                assert_eq!(self.said.replace(String::new()), Some(entry.content));
            }
            Event::RunFinished { .. } => self.said = None,
            Event::WorkerStopped { .. } => self.is_over = true,
            _ => {}
        }
    }

    fn delta(&mut self, delta: Delta) {
        assert!(self.joined.is_some(), "what is live comes after the past");
        let Delta::Text { offset, text, .. } = delta else {
            panic!("nobody said {delta:?}");
        };
        let said = self.said.as_mut().expect("a run speaks");
        assert_eq!(offset, said.len() as u64, "a hole or an overlap");
        said.push_str(&text);
    }

    fn control(&mut self, control: Control) {
        let Control::CaughtUp { in_flight } = control else {
            panic!("nobody said {control:?}");
        };
        assert!(self.joined.is_none(), "the past is told once");
        self.said = in_flight.map(|in_flight| in_flight.text);
        self.joined = Some(Joined {
            seq: self.seq.expect("a snapshot comes first"),
            said: self.said.clone(),
        });
    }

    /// Whether this is all there is to be told.
    #[must_use]
    pub fn is_all(&self, until: &Until) -> bool {
        self.joined.is_some() && self.seq == Some(until.seq) && self.said == until.said
    }

    /// Whether the Worker is stopped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Where the past met what is live.
    ///
    /// # Panics
    /// It has not.
    #[must_use]
    pub fn joined(self) -> Joined {
        self.joined.expect("the past is told")
    }
}
