//! A frame of a Runtime, turned into one of the Backend: rewritten and serialised once.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use yoi_protocol::{
    Control, ControlFrame, Cursor, Delta, DeltaFrame, Failure, Frame, InFlight, RawFrame, RunId,
    RuntimeId, WorkerId, WorkerStatus,
};

use super::cursor::CursorSeal;
use super::in_flight::{Mark, Piece, Stream};
use crate::handle::protocol_error;
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

/// A frame as clients get it. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct WatchedFrame {
    /// One JSON text.
    pub text: Bytes,
    /// The Backend's cursor, for events.
    pub cursor: Option<Cursor>,
}

/// A frame as clients get it, and what the hub needs to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Rewritten {
    pub(crate) frame: WatchedFrame,
    pub(crate) kind: Kind,
}

/// What a frame means for the hub.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A durable event.
    Event { seq: u64, mark: Mark },
    /// A delta; `None` for one without a place in a text.
    Delta(Option<Piece>),
    /// The past is told.
    CaughtUp(Option<InFlight>),
    /// What a newer version says.
    Other,
}

impl Kind {
    /// Whether it goes on from what was told before, so that it shows that all is well.
    pub(crate) fn has_a_place(&self) -> bool {
        match self {
            Self::Event { .. } | Self::Delta(Some(_)) => true,
            Self::Delta(None) | Self::CaughtUp(_) | Self::Other => false,
        }
    }
}

/// Turns the frames of one Worker into the Backend's.
#[derive(Debug, Clone)]
pub(crate) struct Rewriter {
    runtime_id: RuntimeId,
    worker_id: WorkerId,
    seal: CursorSeal,
    scrub: Scrubber,
}

#[derive(Deserialize)]
struct DeltaParts {
    #[serde(rename = "type")]
    kind: String,
    run_id: Option<String>,
    call_id: Option<String>,
    offset: Option<u64>,
    text: Option<String>,
}

impl Rewriter {
    pub(crate) fn new(
        keys: &KeyRing,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        scrub: Scrubber,
    ) -> Self {
        Self {
            runtime_id: runtime_id.clone(),
            worker_id: worker_id.clone(),
            seal: CursorSeal::new(keys, runtime_id, worker_id),
            scrub,
        }
    }

    pub(crate) fn seal(&self) -> &CursorSeal {
        &self.seal
    }

    /// Adds `runtime_id`, replaces the cursor, cleans the Runtime's own texts; all else passes
    /// untouched, also what this version does not know.
    ///
    /// # Errors
    /// `runtime_protocol_error` for a frame of another Worker or Runtime, or one that is not
    /// what its kind must be.
    pub(crate) fn rewrite(&self, mut raw: RawFrame) -> Result<Rewritten, Failure> {
        let named: Option<WorkerId> = raw.read("worker_id");
        let runtime: Option<RuntimeId> = raw.read("runtime_id");
        if runtime.is_some_and(|id| id != self.runtime_id) {
            return Err(protocol_error());
        }
        let mut cursor = None;
        let kind = match raw.kind().as_deref() {
            Some(kind @ ("event" | "delta")) if named.as_ref() != Some(&self.worker_id) => {
                tracing::debug!(kind, "a frame of another worker");
                return Err(protocol_error());
            }
            Some("event") => {
                let seq = raw.seq().ok_or_else(protocol_error)?;
                let upstream = raw.cursor().ok_or_else(protocol_error)?;
                let sealed = self.seal.seal(&upstream)?;
                raw.set("cursor", &sealed);
                cursor = Some(sealed);
                let mark = mark(&raw);
                self.clean_event(&mut raw);
                Kind::Event { seq, mark }
            }
            Some("delta") => Kind::Delta(piece(&raw)),
            Some("control") => match raw.read::<Control>("control") {
                Some(Control::CaughtUp { in_flight }) => Kind::CaughtUp(in_flight),
                Some(
                    Control::UpstreamLost { .. } | Control::UpstreamRestored | Control::Unknown,
                ) => Kind::Other,
                None => return Err(protocol_error()),
            },
            Some(_) => Kind::Other,
            None => return Err(protocol_error()),
        };
        raw.set("runtime_id", &self.runtime_id);
        Ok(Rewritten {
            frame: WatchedFrame {
                text: Bytes::from(raw.to_text()),
                cursor,
            },
            kind,
        })
    }

    /// A frame about the stream itself.
    pub(crate) fn control(&self, control: Control) -> WatchedFrame {
        transient(&Frame::Control(ControlFrame {
            runtime_id: Some(self.runtime_id.clone()),
            control,
        }))
    }

    /// A frame that says a piece that came as part of something else.
    pub(crate) fn delta(&self, delta: Delta) -> WatchedFrame {
        transient(&Frame::Delta(DeltaFrame {
            runtime_id: Some(self.runtime_id.clone()),
            worker_id: self.worker_id.clone(),
            delta,
        }))
    }

    /// Cleans what the Runtime, not the Worker, says in an event; keeps every other byte.
    ///
    /// By the place of each text alone: whatever else is wrong or new about the event, what
    /// stands there is cleaned.
    fn clean_event(&self, raw: &mut RawFrame) {
        let Some(mut event) = raw.read::<Value>("event") else {
            return;
        };
        let mut changed = false;
        for path in runtime_texts(event.get("type").and_then(Value::as_str)) {
            changed |= self.clean_at(&mut event, path);
        }
        if changed {
            raw.set("event", &event);
        }
    }

    /// Cleans what stands at `path`, or instead of what should lead there.
    fn clean_at(&self, value: &mut Value, path: &[&str]) -> bool {
        match (value, path) {
            (Value::Object(fields), [name, rest @ ..]) => fields
                .get_mut(*name)
                .is_some_and(|field| self.clean_at(field, rest)),
            (value, _) => self.scrub.value(value),
        }
    }
}

/// A frame of ours, without a place in the log.
fn transient(frame: &Frame) -> WatchedFrame {
    let text = serde_json::to_vec(frame).expect("frames of the contract serialise");
    WatchedFrame {
        text: Bytes::from(text),
        cursor: None,
    }
}

/// Where in an event the Runtime's own texts are.
fn runtime_texts(event: Option<&str>) -> &'static [&'static [&'static str]] {
    match event {
        Some("run_finished") => &[&["error", "code"], &["error", "message"]],
        Some("snapshot") => &[
            &["worker", "display_ref"],
            &["worker", "display_name"],
            &["worker", "profile"],
            &["worker", "last_run", "error", "code"],
            &["worker", "last_run", "error", "message"],
        ],
        Some("diagnostic") => &[&["severity"], &["code"], &["message"]],
        Some(_) | None => &[],
    }
}

fn mark(raw: &RawFrame) -> Mark {
    #[derive(Deserialize)]
    struct Run {
        run_id: RunId,
    }
    match raw.payload_type("event").as_deref() {
        Some("run_started") => match raw.read::<Run>("event") {
            Some(Run { run_id }) => Mark::RunStarted(run_id),
            None => Mark::Other,
        },
        Some("entry_appended") => Mark::EntryAppended,
        Some("run_finished") => Mark::RunFinished,
        Some("worker_stopped") => Mark::Stopped,
        Some("snapshot") if shows_stopped(raw) => Mark::Stopped,
        Some(_) | None => Mark::Other,
    }
}

/// Whether a snapshot is one of a stopped Worker.
fn shows_stopped(raw: &RawFrame) -> bool {
    #[derive(Deserialize)]
    struct Snapshot {
        worker: Shown,
    }
    #[derive(Deserialize)]
    struct Shown {
        status: WorkerStatus,
    }
    raw.read("event")
        .is_some_and(|Snapshot { worker }| worker.status == WorkerStatus::Stopped)
}

fn piece(raw: &RawFrame) -> Option<Piece> {
    let parts: DeltaParts = raw.read("delta")?;
    Some(Piece {
        stream: Stream {
            kind: parts.kind,
            run_id: parts.run_id?,
            call_id: parts.call_id,
        },
        offset: parts.offset?,
        text: parts.text?,
    })
}

#[cfg(test)]
mod tests;
