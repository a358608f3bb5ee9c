//! An observer that remembers what it saw.

use worker_runtime::{Observation, Runtime};
use yoi_protocol::{Control, Delta, Event, EventFrame, Frame, InFlight, RawFrame, StreamEnd};

use super::{PATIENCE, id};

/// An observation, with everything that it has seen.
pub(crate) struct Watch {
    observation: Observation,
    pub(crate) seen: Vec<Seen>,
}

/// One frame, parsed; or the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Frame(Frame),
    End(StreamEnd),
}

impl Watch {
    pub(crate) async fn start(runtime: &Runtime, worker: &str, cursor: Option<&str>) -> Self {
        let observation = runtime.observe(&id(worker), cursor).await.unwrap();
        Self {
            observation,
            seen: Vec::new(),
        }
    }

    /// The next frame or the end; fails the test when nothing comes.
    pub(crate) async fn next(&mut self) -> Seen {
        let next = tokio::time::timeout(PATIENCE, self.observation.next()).await;
        let Ok(next) = next else {
            panic!("nothing more came after {}", self.shown());
        };
        let seen = match next {
            Ok(frame) => {
                let text = std::str::from_utf8(&frame.text).expect("frames are UTF-8");
                let raw = RawFrame::parse(text).expect("every frame has a valid envelope");
                assert_eq!(raw.cursor(), frame.cursor, "the cursor stands in the frame");
                Seen::Frame(serde_json::from_str(text).expect("every frame parses"))
            }
            Err(end) => Seen::End(end),
        };
        self.seen.push(seen.clone());
        seen
    }

    /// The next durable event, past any deltas.
    pub(crate) async fn event(&mut self) -> EventFrame {
        loop {
            match self.next().await {
                Seen::Frame(Frame::Event(event)) => return event,
                Seen::Frame(_) => {}
                Seen::End(end) => panic!("ended with {end:?} after {}", self.shown()),
            }
        }
    }

    /// Reads until an event of this type.
    pub(crate) async fn until(&mut self, wanted: &str) -> EventFrame {
        loop {
            let event = self.event().await;
            if event_type(&event.event) == wanted {
                return event;
            }
        }
    }

    /// Reads until `caught_up`, and says what it tells to be in flight.
    pub(crate) async fn until_caught_up(&mut self) -> Option<InFlight> {
        loop {
            match self.next().await {
                Seen::Frame(Frame::Control(frame)) => match frame.control {
                    Control::CaughtUp { in_flight } => return in_flight,
                    other => panic!("a runtime never says {other:?}"),
                },
                Seen::Frame(_) => {}
                Seen::End(end) => panic!("ended with {end:?} before it caught up"),
            }
        }
    }

    /// Reads to the end.
    pub(crate) async fn end(&mut self) -> StreamEnd {
        loop {
            if let Seen::End(end) = self.next().await {
                return end;
            }
        }
    }

    /// What was seen, short enough to be read when a test fails.
    fn shown(&self) -> String {
        let last: String = format!("{:?}", self.seen.last())
            .chars()
            .take(500)
            .collect();
        format!("events {:?}, last {last}", self.types())
    }

    /// Every event seen so far.
    pub(crate) fn events(&self) -> Vec<&EventFrame> {
        let event = |seen: &'_ Seen| matches!(seen, Seen::Frame(Frame::Event(_)));
        let all = self.seen.iter().filter(|seen| event(seen));
        all.filter_map(|seen| match seen {
            Seen::Frame(Frame::Event(event)) => Some(event),
            _ => None,
        })
        .collect()
    }

    /// The types of every event seen so far.
    pub(crate) fn types(&self) -> Vec<&'static str> {
        let events = self.events();
        events
            .iter()
            .map(|frame| event_type(&frame.event))
            .collect()
    }

    /// The text deltas since the last entry, in order; fails on a hole or an overlap.
    pub(crate) fn text_since_entry(&self) -> String {
        let mut text = String::new();
        for seen in &self.seen {
            match seen {
                Seen::Frame(Frame::Delta(frame)) => {
                    if let Delta::Text {
                        offset,
                        text: piece,
                        ..
                    } = &frame.delta
                    {
                        assert_eq!(*offset, text.len() as u64, "deltas join");
                        text.push_str(piece);
                    }
                }
                Seen::Frame(Frame::Event(frame)) => {
                    if matches!(frame.event, Event::EntryAppended { .. }) {
                        text.clear();
                    }
                }
                _ => {}
            }
        }
        text
    }
}

pub(crate) fn event_type(event: &Event) -> &'static str {
    match event {
        Event::Snapshot { .. } => "snapshot",
        Event::InputAccepted { .. } => "input_accepted",
        Event::RunStarted { .. } => "run_started",
        Event::EntryAppended { .. } => "entry_appended",
        Event::ToolCallStarted { .. } => "tool_call_started",
        Event::ToolCallFinished { .. } => "tool_call_finished",
        Event::ToolResult { .. } => "tool_result",
        Event::Usage { .. } => "usage",
        Event::StatusChanged { .. } => "status_changed",
        Event::RunFinished { .. } => "run_finished",
        Event::WorkerStopped { .. } => "worker_stopped",
        Event::Diagnostic { .. } => "diagnostic",
        Event::Unknown(_) => "unknown",
    }
}
