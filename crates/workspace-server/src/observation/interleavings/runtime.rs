//! A Runtime of one Worker, whose run speaks one step at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use yoi_interleavings::{Step, turn};
use yoi_protocol::{
    ActiveRun, CancelRequest, Cancelled, CircuitView, Code, Control, ControlFrame, CreateWorker,
    Cursor, Delta, DeltaFrame, Entry, Event, EventFrame, Failure, Frame, InFlight, InputAccepted,
    InputRequest, ListQuery, Outcome, RawFrame, Role, RunId, RuntimeId, RuntimeInfo, StopRequest,
    Stopped, StreamEnd, Timestamp, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
    WorkerStatus,
};

use crate::handle::{Applied, CallContext, RuntimeHandle, Upstream};

/// The last event before anybody watches.
pub(super) const BEFORE: u64 = 4;
/// What the run has said after it.
pub(super) const SAID: &str = "a";

pub(super) fn r() -> RuntimeId {
    RuntimeId::parse("r").unwrap()
}

pub(super) fn w() -> WorkerId {
    WorkerId::parse("w").unwrap()
}

/// The Runtime's cursor of an event.
pub(super) fn cursor(seq: u64) -> Cursor {
    Cursor::parse(&format!("c-{seq}")).unwrap()
}

fn run() -> RunId {
    RunId::parse("run").unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_unix_ms(0)
}

/// The Runtime. Clones are the same.
#[derive(Clone)]
pub(super) struct Spoken(Arc<Shared>);

struct Shared {
    log: Mutex<Log>,
    more: Notify,
    /// How many observe.
    open: watch::Sender<usize>,
}

struct Log {
    /// What is said since [`BEFORE`], as it was said.
    frames: Vec<Frame>,
    seq: u64,
    said: Option<String>,
}

impl Spoken {
    pub(super) fn new() -> Self {
        let log = Log {
            frames: Vec::new(),
            seq: BEFORE,
            said: Some(SAID.to_owned()),
        };
        Self(Arc::new(Shared {
            log: Mutex::new(log),
            more: Notify::new(),
            open: watch::Sender::new(0),
        }))
    }

    /// Tells how many observe.
    pub(super) fn open(&self) -> watch::Receiver<usize> {
        self.0.open.subscribe()
    }

    /// Any task goes on, and then the run does something.
    pub(super) fn take(&self, step: Step) {
        turn();
        self.log().take(step);
        self.0.more.notify_waiters();
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap()
    }
}

impl Log {
    fn take(&mut self, step: Step) {
        match step {
            Step::Say(piece) => {
                let said = self.said.get_or_insert_default();
                let delta = Delta::Text {
                    run_id: run(),
                    offset: said.len() as u64,
                    text: piece.to_owned(),
                };
                said.push_str(piece);
                self.frames.push(Frame::Delta(DeltaFrame {
                    runtime_id: None,
                    worker_id: w(),
                    delta,
                }));
            }
            Step::Append => self.append(),
            Step::Stop => {
                self.append();
                self.said = None;
                self.event(Event::RunFinished {
                    run_id: run(),
                    outcome: Outcome::Completed,
                    error: None,
                });
                let status = WorkerStatus::Stopped;
                self.event(Event::StatusChanged { status });
                self.event(Event::WorkerStopped { reason: None });
            }
        }
    }

    fn append(&mut self) {
        let content = self.said.replace(String::new()).unwrap_or_default();
        let entry = Entry {
            sequence: self.seq,
            role: Role::Assistant,
            content,
            run_id: run(),
            at: at(),
            redacted: false,
        };
        self.event(Event::EntryAppended { entry });
    }

    fn event(&mut self, event: Event) {
        self.seq += 1;
        self.frames.push(frame(self.seq, event));
    }

    fn snapshot(&self) -> Frame {
        let active_run = self.said.as_ref().map(|_| ActiveRun {
            run_id: run(),
            started_at: at(),
        });
        let status = match active_run {
            Some(_) => WorkerStatus::Running,
            None => WorkerStatus::Stopped,
        };
        let worker = Worker {
            runtime_id: r(),
            worker_id: w(),
            display_name: None,
            display_ref: "w@r".to_owned(),
            status,
            profile: "echo".to_owned(),
            intent: None,
            labels: BTreeMap::new(),
            created_at: at(),
            updated_at: at(),
            transcript_length: 0,
            active_run,
            last_run: None,
        };
        let snapshot = Event::Snapshot {
            worker: Box::new(worker),
            transcript: Vec::new(),
            first_sequence: 1,
        };
        frame(self.seq, snapshot)
    }

    fn caught_up(&self) -> Frame {
        let in_flight = self.said.as_ref().map(|said| InFlight {
            run_id: run(),
            text: said.clone(),
            thinking: String::new(),
            tool_arguments: Vec::new(),
        });
        Frame::Control(ControlFrame {
            runtime_id: None,
            control: Control::CaughtUp { in_flight },
        })
    }

    /// The event with this number, when it has happened.
    fn numbered(&self, seq: u64) -> Option<Frame> {
        let is_it = |frame: &&Frame| matches!(frame, Frame::Event(event) if event.seq == seq);
        self.frames.iter().find(is_it).cloned()
    }
}

fn frame(seq: u64, event: Event) -> Frame {
    Frame::Event(EventFrame {
        seq,
        cursor: cursor(seq),
        runtime_id: None,
        worker_id: w(),
        at: at(),
        event,
    })
}

/// One observation.
struct Observed {
    runtime: Spoken,
    place: Place,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Place {
    Snapshot,
    /// What happened after this event, and then what is live.
    After(u64),
    /// This frame.
    Live(usize),
}

impl Observed {
    fn new(runtime: Spoken, place: Place) -> Self {
        runtime.0.open.send_modify(|open| *open += 1);
        Self { runtime, place }
    }

    fn try_next(&mut self) -> Option<Result<Frame, StreamEnd>> {
        let log = self.runtime.log();
        let (frame, place) = match self.place {
            Place::Snapshot => (log.snapshot(), Place::After(log.seq)),
            Place::After(seq) => match log.numbered(seq + 1) {
                Some(frame) => (frame, Place::After(seq + 1)),
                None => (log.caught_up(), Place::Live(log.frames.len())),
            },
            Place::Live(at) => match log.frames.get(at) {
                Some(frame) => (frame.clone(), Place::Live(at + 1)),
                None if log.said.is_none() => return Some(Err(StreamEnd::Complete)),
                None => return None,
            },
        };
        self.place = place;
        Some(Ok(frame))
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.runtime.0.open.send_modify(|open| *open -= 1);
    }
}

#[async_trait]
impl Upstream for Observed {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        let shared = Arc::clone(&self.runtime.0);
        loop {
            let more = shared.more.notified();
            if let Some(next) = self.try_next() {
                let text = serde_json::to_string(&next?).unwrap();
                return Ok(RawFrame::parse(&text).unwrap());
            }
            more.await;
        }
    }
}

fn unsupported<T>() -> Result<T, Failure> {
    Err(Failure::new(Code::OperationUnsupported))
}

#[async_trait]
impl RuntimeHandle for Spoken {
    fn circuit(&self) -> Option<CircuitView> {
        None
    }

    async fn runtime(&self, _: &CallContext) -> Result<RuntimeInfo, Failure> {
        unsupported()
    }

    async fn list_workers(&self, _: &ListQuery, _: &CallContext) -> Result<WorkerPage, Failure> {
        unsupported()
    }

    async fn get_worker(&self, _: &WorkerId, _: &CallContext) -> Result<Worker, Failure> {
        unsupported()
    }

    async fn create_worker(
        &self,
        _: CreateWorker,
        _: &CallContext,
    ) -> Result<Applied<Worker>, Failure> {
        unsupported()
    }

    async fn send_input(
        &self,
        _: &WorkerId,
        _: InputRequest,
        _: &CallContext,
    ) -> Result<Applied<InputAccepted>, Failure> {
        unsupported()
    }

    async fn cancel(
        &self,
        _: &WorkerId,
        _: CancelRequest,
        _: &CallContext,
    ) -> Result<Applied<Cancelled>, Failure> {
        unsupported()
    }

    async fn stop(
        &self,
        _: &WorkerId,
        _: StopRequest,
        _: &CallContext,
    ) -> Result<Applied<Stopped>, Failure> {
        unsupported()
    }

    async fn transcript(
        &self,
        _: &WorkerId,
        _: &TranscriptQuery,
        _: &CallContext,
    ) -> Result<Transcript, Failure> {
        unsupported()
    }

    async fn observe(
        &self,
        worker_id: &WorkerId,
        after: Option<&Cursor>,
        _: &CallContext,
    ) -> Result<Box<dyn Upstream>, Failure> {
        assert_eq!(*worker_id, w());
        turn();
        let known = (BEFORE..=self.log().seq).find(|seq| after == Some(&cursor(*seq)));
        let place = match (after, known) {
            (None, _) => Place::Snapshot,
            (Some(_), Some(seq)) => Place::After(seq),
            (Some(_), None) => return Err(Failure::new(Code::CursorUnknown)),
        };
        Ok(Box::new(Observed::new(self.clone(), place)))
    }
}
