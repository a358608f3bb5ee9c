//! A reader of one Worker's events, who believes nothing and keeps everything.

use std::time::Duration;

use tokio::time::timeout;
use worker_runtime::{Observation, ObservedFrame, Runtime};
use yoi_protocol::{
    Control, Cursor, Delta, Entry, Event, Frame, InFlight, Role, RunId, StreamEnd, WorkerId,
};

use super::model::{Happened, Run};

/// Time stands still while a Runtime has something to do, so this passes only when it has nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a reader has read of a Worker since it was created.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    live: Option<Observation>,
    /// Each event, as the run ids of the wire have it, and its cursor.
    pub(crate) events: Vec<(Event, Cursor)>,
    /// What the deltas add up to since the last entry.
    pub(crate) said: String,
    pub(crate) is_over: bool,
}

impl Watcher {
    /// Reads on from where it was, or from the beginning, until it is caught up.
    pub(crate) async fn attach(&mut self, runtime: &Runtime, worker_id: &WorkerId) {
        if self.is_over {
            return;
        }
        let cursor = self.events.last().map(|(_, cursor)| cursor.to_string());
        let observation = runtime.observe(worker_id, cursor.as_deref()).await;
        self.live = Some(observation.unwrap());
        self.said.clear();
        while !self.read().await {}
    }

    /// Forgets the observation: its Runtime is gone.
    pub(crate) fn detach(&mut self) {
        self.live = None;
    }

    /// Reads until it has seen so much, and finds that there is nothing more.
    pub(crate) async fn catch_up(&mut self, events: usize, said: &str) {
        while self.live.is_some() && (self.events.len() < events || self.said != said) {
            self.read().await;
        }
        match self.live.as_mut().and_then(Observation::try_next) {
            None => {}
            Some(Err(StreamEnd::Complete)) => self.end(),
            more => panic!("nothing happened, and this is told: {more:?}"),
        }
    }

    /// Nothing can follow: that must have been said.
    fn end(&mut self) {
        let last = self.events.last();
        assert!(
            matches!(last, Some((Event::WorkerStopped { .. }, _))),
            "{last:?}"
        );
        self.live = None;
        self.is_over = true;
    }

    /// Reads one frame. Says whether it was that all of the past is told.
    async fn read(&mut self) -> bool {
        let live = self.live.as_mut().unwrap();
        let next = timeout(PATIENCE, live.next()).await;
        let seen = (self.events.last(), &self.said);
        match next.unwrap_or_else(|_| panic!("nothing comes any more after {seen:?}")) {
            Ok(frame) => self.take(&frame),
            Err(StreamEnd::Complete) => {
                self.end();
                true
            }
            Err(end) => panic!("the observation ends with {end:?} after {seen:?}"),
        }
    }

    fn take(&mut self, frame: &ObservedFrame) -> bool {
        match serde_json::from_slice(&frame.text).unwrap() {
            Frame::Event(event) => {
                assert_eq!(event.seq, self.events.len() as u64 + 1, "dense from 1");
                assert_eq!(frame.cursor.as_ref(), Some(&event.cursor));
                match &event.event {
                    Event::EntryAppended { entry } if entry.role == Role::Assistant => {
                        // Deltas add up to the entry that follows, unless it was said whole.
                        assert!(
                            self.said.is_empty() || self.said == entry.content,
                            "{entry:?}"
                        );
                        self.said.clear();
                    }
                    Event::RunFinished { .. } => assert_eq!(self.said, "", "said, and no entry"),
                    _ => {}
                }
                self.events.push((event.event, event.cursor));
                false
            }
            Frame::Delta(frame) => {
                let Delta::Text { offset, text, .. } = frame.delta else {
                    panic!("{:?}", frame.delta)
                };
                assert_eq!(offset, self.said.len() as u64, "no hole and no overlap");
                self.said.push_str(&text);
                false
            }
            Frame::Control(frame) => {
                let Control::CaughtUp { in_flight } = frame.control else {
                    panic!("{:?}", frame.control)
                };
                self.said = in_flight
                    .map(|InFlight { text, .. }| text)
                    .unwrap_or_default();
                true
            }
            Frame::Diagnostic(frame) => panic!("{frame:?}"),
        }
    }
}

/// What the model calls this event.
pub(crate) fn happened(event: &Event, runs: &[RunId]) -> Happened {
    let number = |id: &RunId| -> Run { runs.iter().position(|run| run == id).unwrap() };
    let parts = |entry: &Entry| (entry.sequence, number(&entry.run_id), entry.content.clone());
    match event {
        Event::Snapshot { transcript, .. } => {
            assert!(transcript.is_empty(), "a log begins with a new worker");
            Happened::Created
        }
        Event::InputAccepted { entry } => {
            assert_eq!(entry.role, Role::User);
            let (sequence, run, content) = parts(entry);
            Happened::Told {
                sequence,
                run,
                content,
            }
        }
        Event::RunStarted { run_id } => Happened::Began(number(run_id)),
        Event::EntryAppended { entry } => {
            let (sequence, run, content) = parts(entry);
            Happened::Said {
                sequence,
                role: entry.role,
                run,
                content,
            }
        }
        Event::StatusChanged { status } => Happened::Became(*status),
        Event::RunFinished {
            run_id,
            outcome,
            error,
        } => {
            let code = error.as_ref().map(|error| error.code.clone());
            Happened::Ended(number(run_id), *outcome, code)
        }
        Event::WorkerStopped { reason } => Happened::Over(reason.clone()),
        Event::ToolCallStarted { .. }
        | Event::ToolCallFinished { .. }
        | Event::ToolResult { .. }
        | Event::Usage { .. }
        | Event::Diagnostic { .. }
        | Event::Unknown(_) => panic!("nobody did that: {event:?}"),
    }
}
