//! One Worker in memory: its state, what its run is saying, and who watches.

use std::sync::{Arc, PoisonError};

use tokio::sync::Notify;
use yoi_protocol::{Delta, Event, InFlight, RunId, Timestamp, ToolArguments, WorkerStatus};

use super::feed::{Feed, Place, Read};
use super::frames;
use super::run::RunControl;
use crate::fold::{FoldError, WorkerState};
use crate::quota::Permit;
use crate::store::{LogId, StoredEvent};
use crate::sync::{Mutex, MutexGuard};

/// A Worker.
///
/// Whoever changes it holds `gate` from the decision through the commit, so one change follows
/// another. `live` is held only to apply and publish, and by readers: neither reads nor observers
/// ever wait for a disk.
pub(super) struct Slot {
    pub(super) log: LogId,
    pub(super) gate: tokio::sync::Mutex<()>,
    live: Mutex<Live>,
}

/// What is true of a Worker now. What it has only while a run is active, or somebody watches, is
/// boxed: most Workers are idle most of the time.
pub(super) struct Live {
    /// Shared with the store.
    pub(super) state: Arc<WorkerState>,
    /// What the active run has said since its last entry.
    pub(super) said: Option<Box<InFlight>>,
    pub(super) run: Option<Box<RunControl>>,
    /// Its place among `max_workers`, until it is stopped.
    place: Option<Permit>,
    feed: Option<Box<Feed>>,
}

/// Events that are decided but not committed, and what they would lead to.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) events: Vec<StoredEvent>,
    pub(super) before: WorkerStatus,
    pub(super) next: Arc<WorkerState>,
}

impl Slot {
    pub(super) fn new(log: LogId, state: Arc<WorkerState>, place: Option<Permit>) -> Self {
        Self {
            log,
            gate: tokio::sync::Mutex::default(),
            live: Mutex::new(Live {
                state,
                said: None,
                run: None,
                place,
                feed: None,
            }),
        }
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a piece of what the active run says.
    pub(super) fn say(&self, piece: Piece<'_>) {
        self.live().say(&self.log, piece);
    }

    /// Applies and publishes what is committed.
    pub(super) fn publish(&self, draft: Draft) {
        self.live().publish(&self.log, draft);
    }
}

/// A piece of what a run says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Thinking(&'a str),
    ToolArguments { call_id: &'a str, text: &'a str },
}

impl Live {
    /// What `events` would lead to. An error is a fault of the decision.
    pub(super) fn draft(&self, at: Timestamp, events: Vec<Event>) -> Result<Draft, FoldError> {
        let mut next = Arc::clone(&self.state);
        let mut stored = Vec::with_capacity(events.len());
        for event in events {
            let seq = next.seq + 1;
            let event = StoredEvent { seq, at, event };
            Arc::make_mut(&mut next).apply(&event)?;
            stored.push(event);
        }
        Ok(Draft {
            events: stored,
            before: self.state.worker.status,
            next,
        })
    }

    pub(super) fn active_run(&self) -> Option<&RunId> {
        Some(&self.state.worker.active_run.as_ref()?.run_id)
    }

    fn publish(&mut self, log: &LogId, draft: Draft) {
        self.state = draft.next;
        for stored in &draft.events {
            self.follow(&stored.event);
            if let Some(feed) = &mut self.feed {
                let is_last = matches!(stored.event, Event::WorkerStopped { .. });
                feed.push(frames::event(log, stored), is_last);
            }
        }
        if self.state.worker.status == WorkerStatus::Stopped {
            self.place = None;
        }
    }

    /// Keeps what is in flight in step with the events.
    fn follow(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run_id } => self.said = Some(Box::new(nothing_said(run_id))),
            Event::EntryAppended { .. } => {
                if let Some(said) = &mut self.said {
                    **said = nothing_said(&said.run_id);
                }
            }
            Event::RunFinished { .. } => {
                self.said = None;
                self.run = None;
            }
            _ => {}
        }
    }

    fn say(&mut self, log: &LogId, piece: Piece<'_>) {
        let Some(said) = &mut self.said else { return };
        let run_id = said.run_id.clone();
        let delta = match piece {
            Piece::Text(text) => Delta::Text {
                run_id,
                offset: extend(&mut said.text, text),
                text: text.to_owned(),
            },
            Piece::Thinking(text) => Delta::Thinking {
                run_id,
                offset: extend(&mut said.thinking, text),
                text: text.to_owned(),
            },
            Piece::ToolArguments { call_id, text } => Delta::ToolArguments {
                run_id,
                call_id: call_id.to_owned(),
                offset: extend(arguments_of(&mut said.tool_arguments, call_id), text),
                text: text.to_owned(),
            },
        };
        if let Some(feed) = &mut self.feed {
            feed.push(frames::delta(&log.worker_id, delta), false);
        }
    }

    /// Adds a reader of live frames.
    pub(super) fn join(&mut self, max_bytes: u64) -> (Place, Arc<Notify>) {
        let feed = self
            .feed
            .get_or_insert_with(|| Box::new(Feed::new(max_bytes)));
        (feed.join(), feed.more())
    }

    pub(super) fn read(&mut self, place: &mut Place) -> Read {
        match &mut self.feed {
            Some(feed) => feed.read(place),
            None => Read::Lost,
        }
    }

    /// Removes a reader; with the last one goes the feed.
    pub(super) fn leave(&mut self, place: Place) {
        if self.feed.as_mut().is_some_and(|feed| feed.leave(place)) {
            self.feed = None;
        }
    }
}

fn nothing_said(run_id: &RunId) -> InFlight {
    InFlight {
        run_id: run_id.clone(),
        text: String::new(),
        thinking: String::new(),
        tool_arguments: Vec::new(),
    }
}

/// Appends, and says where the piece starts.
fn extend(whole: &mut String, piece: &str) -> u64 {
    let offset = whole.len() as u64;
    whole.push_str(piece);
    offset
}

fn arguments_of<'a>(all: &'a mut Vec<ToolArguments>, call_id: &str) -> &'a mut String {
    let index = match all.iter().position(|one| one.call_id == call_id) {
        Some(index) => index,
        None => {
            all.push(ToolArguments {
                call_id: call_id.to_owned(),
                text: String::new(),
            });
            all.len() - 1
        }
    };
    &mut all[index].text
}
