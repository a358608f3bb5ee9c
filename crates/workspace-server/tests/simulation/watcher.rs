//! A client who watches a Worker to its end, now here and now there.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use yoi_client::{Call, FrameStream};
use yoi_protocol::{
    Code, Control, Cursor, Delta, Event, EventFrame, Frame, RawFrame, Role, RuntimeId, StreamEnd,
    WorkerId,
};

use super::client::{Desk, pause};
use super::ledger::Seen;

/// Watches until the Worker is stopped.
pub(crate) async fn watch(desk: Desk, runtime: RuntimeId, worker: WorkerId) {
    let mut watcher = Watcher {
        desk,
        seen: Seen {
            worker: Some(worker.clone()),
            ..Seen::default()
        },
        cursor: None,
        last: 0,
        past: true,
        said: String::new(),
        lost: false,
    };
    loop {
        let was_created = watcher.desk.ledger.is_created(&worker);
        let stream = watcher.open(&runtime, &worker).await;
        let is_over = match stream {
            Some(stream) => watcher.read(stream, was_created).await,
            None => false,
        };
        if is_over {
            break;
        }
        pause(500).await;
    }
    watcher.desk.ledger.saw(watcher.seen);
    watcher.desk.ledger.done();
}

struct Watcher {
    desk: Desk,
    seen: Seen,
    cursor: Option<Cursor>,
    /// The sequence number of the last event.
    last: u64,
    /// Whether the past is still being told.
    past: bool,
    /// What the deltas add up to since the last entry.
    said: String,
    /// Whether it was told that the upstream is lost.
    lost: bool,
}

impl Watcher {
    async fn open(&mut self, runtime: &RuntimeId, worker: &WorkerId) -> Option<FrameStream> {
        let cursor = self.cursor.as_ref();
        let workers = self.desk.workers(runtime);
        let opened = workers.events(worker, cursor, &Call::default()).await;
        (self.past, self.lost) = (true, false);
        match opened {
            Ok(stream) => {
                self.desk.trace(format_args!("watches after {}", self.last));
                Some(stream)
            }
            Err(error) => {
                self.desk
                    .trace(format_args!("cannot: {}", error.failure.code));
                self.desk.bears(&error.failure);
                None
            }
        }
    }

    /// Reads until the stream ends, or for a while; says whether nothing can follow.
    async fn read(&mut self, mut stream: FrameStream, was_created: bool) -> bool {
        let mut told = 0;
        let until = Instant::now() + Duration::from_millis(fastrand::u64(500..8000));
        loop {
            let Ok(next) = timeout_at(until, stream.next()).await else {
                self.desk.trace("goes elsewhere");
                return false;
            };
            match next {
                Ok(frame) => {
                    told += 1;
                    self.take(&frame);
                }
                Err(StreamEnd::Complete) => {
                    self.desk.trace("is told all");
                    let last = self.seen.events.last();
                    let last = last.or(self.seen.first.as_ref().map(|(_, event)| event));
                    assert!(
                        is_last(last.expect("a stream has a beginning")),
                        "{} is told that nothing follows {last:?}",
                        self.desk.name
                    );
                    return true;
                }
                Err(StreamEnd::SlowConsumer | StreamEnd::Draining) => return false,
                Err(StreamEnd::Failed(failure)) => {
                    self.desk.trace(format_args!("ends: {}", failure.code));
                    if failure.code != Code::WorkerNotFound || was_created {
                        self.desk.bears(&failure);
                    }
                    // Once it has begun, a Backend stays with its readers while a link is bad.
                    let is_of_the_backend = failure.origin.is_none();
                    assert!(
                        told == 0 || !is_of_the_backend,
                        "{} is left after {told} frames: {failure:?}",
                        self.desk.name
                    );
                    return false;
                }
                Err(end @ StreamEnd::ObservationOnly) => panic!("{}: {end:?}", self.desk.name),
            }
        }
    }

    fn take(&mut self, raw: &RawFrame) {
        let frame: Frame = serde_json::from_str(&raw.to_text()).unwrap();
        match frame {
            Frame::Event(event) => self.event(event),
            Frame::Delta(frame) => {
                assert!(!self.past, "{}: a delta of the past", self.desk.name);
                let Delta::Text { offset, text, .. } = frame.delta else {
                    panic!("{:?}", frame.delta)
                };
                assert_eq!(offset, self.said.len() as u64, "{}", self.desk.name);
                self.said.push_str(&text);
            }
            Frame::Control(frame) => match frame.control {
                Control::CaughtUp { in_flight } => {
                    assert!(self.past, "{} is caught up twice", self.desk.name);
                    self.past = false;
                    self.said = in_flight.map(|told| told.text).unwrap_or_default();
                }
                Control::UpstreamLost { code } => {
                    self.desk.trace(format_args!("lost: {code}"));
                    self.lost = true;
                }
                Control::UpstreamRestored => {
                    assert!(self.lost, "{}: what is restored was lost", self.desk.name);
                    self.desk.trace("restored");
                    self.lost = false;
                }
                Control::Unknown => panic!("{raw:?}"),
            },
            Frame::Diagnostic(frame) => panic!("{frame:?}"),
        }
    }

    fn event(&mut self, frame: EventFrame) {
        let EventFrame {
            seq, cursor, event, ..
        } = frame;
        if self.seen.first.is_none() {
            assert!(matches!(event, Event::Snapshot { .. }), "{event:?}");
            self.seen.first = Some((seq, event));
        } else {
            assert_eq!(
                seq,
                self.last + 1,
                "{}: no gap and no step back",
                self.desk.name
            );
            match &event {
                Event::EntryAppended { entry } if entry.role == Role::Assistant => {
                    // Of what was said while nobody could hear it there is only the entry.
                    assert!(
                        self.past || self.lost || self.said == entry.content,
                        "{} heard {:?} of {:?}",
                        self.desk.name,
                        self.said,
                        entry.content
                    );
                    self.said.clear();
                }
                // A crash takes what was said with it.
                Event::RunFinished { .. } => self.said.clear(),
                _ => {}
            }
            self.seen.events.push(event);
        }
        (self.last, self.cursor) = (seq, Some(cursor));
    }
}

/// Whether nothing can follow.
fn is_last(event: &Event) -> bool {
    use yoi_protocol::WorkerStatus::Stopped;
    match event {
        Event::WorkerStopped { .. } => true,
        Event::Snapshot { worker, .. } => worker.status == Stopped,
        _ => false,
    }
}
