//! An observation whose frames are held to the contract as they come.

use std::time::Duration;

use tokio::time::timeout;
use yoi_protocol::{
    Control, Cursor, Entry, Event, EventFrame, Frame, InFlight, RawFrame, StreamEnd, Worker,
    WorkerId,
};

use crate::subject::Frames;
use crate::unmet::{Unmet, broken, ending, holds, late, same};

/// An observation. Whatever is read of it, each frame must be of this Worker, events must be
/// numbered without a hole, and what is not an event must have no place in the log.
pub(crate) struct Watch {
    frames: Box<dyn Frames>,
    worker_id: WorkerId,
    /// The number of the last event.
    seq: Option<u64>,
    patience: Duration,
}

/// The first frame of an observation without a cursor.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) seq: u64,
    pub(crate) cursor: Cursor,
    pub(crate) worker: Worker,
    pub(crate) transcript: Vec<Entry>,
    pub(crate) first_sequence: u64,
}

impl Watch {
    pub(crate) fn new(frames: Box<dyn Frames>, worker_id: WorkerId, patience: Duration) -> Self {
        Self {
            frames,
            worker_id,
            seq: None,
            patience,
        }
    }

    /// Holds the next event to be the one after `seq`.
    pub(crate) fn after(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// The next frame, or how the observation ended.
    async fn heard(&mut self) -> Result<Result<Frame, StreamEnd>, Unmet> {
        loop {
            let next = timeout(self.patience, self.frames.next()).await;
            let next = next.map_err(|_| late(format!("no frame within {:?}", self.patience)))?;
            match next {
                Err(end) => return Ok(Err(end)),
                Ok(raw) => {
                    if let Some(frame) = self.judge(&raw)? {
                        return Ok(Ok(frame));
                    }
                }
            }
        }
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Result<Frame, Unmet> {
        self.heard()
            .await?
            .map_err(|end| broken(format!("the observation ended too early: {}", ending(&end))))
    }

    /// How the observation ends, whatever comes before that.
    pub(crate) async fn end(&mut self) -> Result<StreamEnd, Unmet> {
        loop {
            if let Err(end) = self.heard().await? {
                return Ok(end);
            }
        }
    }

    /// Everything up to the first frame that `is` what is waited for.
    pub(crate) async fn until(&mut self, is: impl Fn(&Frame) -> bool) -> Result<Vec<Frame>, Unmet> {
        let mut all = Vec::new();
        loop {
            let frame = self.next().await?;
            let is_last = is(&frame);
            all.push(frame);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// The events up to the end of a run's `run_finished`.
    pub(crate) async fn until_finished(&mut self) -> Result<Vec<Frame>, Unmet> {
        let is_finished = |frame: &Frame| matches!(event(frame), Some(Event::RunFinished { .. }));
        self.until(is_finished).await
    }

    /// The snapshot, which must be the next frame.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot, Unmet> {
        match self.next().await? {
            Frame::Event(EventFrame {
                seq,
                cursor,
                event:
                    Event::Snapshot {
                        worker,
                        transcript,
                        first_sequence,
                    },
                ..
            }) => Ok(Snapshot {
                seq,
                cursor,
                worker: *worker,
                transcript,
                first_sequence,
            }),
            other => Err(broken(format!(
                "without a cursor the first frame must be a snapshot, and is {}",
                named(&other)
            ))),
        }
    }

    /// The past: every event before `caught_up`, and what is in flight then.
    pub(crate) async fn past(&mut self) -> Result<(Vec<EventFrame>, Option<InFlight>), Unmet> {
        let mut events = Vec::new();
        loop {
            match self.next().await? {
                Frame::Event(event) => events.push(event),
                Frame::Control(control) => match control.control {
                    Control::CaughtUp { in_flight } => return Ok((events, in_flight)),
                    Control::UpstreamLost { .. } | Control::UpstreamRestored | Control::Unknown => {
                    }
                },
                Frame::Delta(_) => return Err(broken("a delta came before caught_up")),
                Frame::Diagnostic(told) => {
                    return Err(broken(format!(
                        "{} came before caught_up",
                        told.diagnostic.code
                    )));
                }
            }
        }
    }

    /// What the contract says of every frame. `None` for a kind of a newer version.
    fn judge(&mut self, raw: &RawFrame) -> Result<Option<Frame>, Unmet> {
        let kind = raw.kind().unwrap_or_default();
        if !["event", "delta", "control", "diagnostic"].contains(&&*kind) {
            return Ok(None);
        }
        let text = raw.to_text();
        let frame: Frame = serde_json::from_str(&text)
            .map_err(|error| broken(format!("not a frame: {error}: {text}")))?;
        match &frame {
            Frame::Event(event) => {
                same(
                    "the worker_id of an event",
                    &event.worker_id,
                    &self.worker_id,
                )?;
                if let Some(last) = self.seq {
                    holds(last.checked_add(1) == Some(event.seq), || {
                        format!("event {} follows event {last}", event.seq)
                    })?;
                }
                self.seq = Some(event.seq);
                let length = event.cursor.as_str().len();
                holds(length <= Cursor::RUNTIME_MAX, || {
                    format!("a cursor of a runtime has {length} characters, not at most 128")
                })?;
            }
            Frame::Delta(delta) => {
                same(
                    "the worker_id of a delta",
                    &delta.worker_id,
                    &self.worker_id,
                )?;
                without_a_place(raw, "delta")?;
            }
            Frame::Control(_) => without_a_place(raw, "control frame")?,
            Frame::Diagnostic(_) => without_a_place(raw, "diagnostic")?,
        }
        Ok(Some(frame))
    }
}

fn without_a_place(raw: &RawFrame, what: &str) -> Result<(), Unmet> {
    let is_placed = raw.raw("seq").is_some() || raw.raw("cursor").is_some();
    holds(!is_placed, || {
        format!("a {what} has a seq or a cursor: {}", raw.to_text())
    })
}

/// The event of a frame, if it is one.
pub(crate) fn event(frame: &Frame) -> Option<&Event> {
    match frame {
        Frame::Event(event) => Some(&event.event),
        Frame::Delta(_) | Frame::Control(_) | Frame::Diagnostic(_) => None,
    }
}

/// The events among frames.
pub(crate) fn events(frames: &[Frame]) -> Vec<&EventFrame> {
    let mut events = Vec::new();
    for frame in frames {
        match frame {
            Frame::Event(event) => events.push(event),
            Frame::Delta(_) | Frame::Control(_) | Frame::Diagnostic(_) => {}
        }
    }
    events
}

/// What a frame is, in words.
pub(crate) fn named(frame: &Frame) -> String {
    match frame {
        Frame::Event(event) => format!("the event {}", kind(&event.event)),
        Frame::Delta(_) => "a delta".to_owned(),
        Frame::Control(_) => "a control frame".to_owned(),
        Frame::Diagnostic(told) => format!("the diagnostic {}", told.diagnostic.code),
    }
}

/// The type of an event, as it stands on the wire.
pub(crate) fn kind(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    value["type"].as_str().unwrap_or_default().to_owned()
}
