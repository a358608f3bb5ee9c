//! Faults of an observation that stands.

use serde_json::json;
use yoi_protocol::{Code, DiagnosticFrame, Failure, Frame, RawFrame, StreamEnd, Subject};

use super::answer::ANOTHER;
use crate::link::message::{self, Opcode};
use crate::link::step::{Script, Step};

/// What is done to a stream that is caught up.
pub(crate) enum Tamper {
    /// This is said between two messages, and the stream goes on.
    Said(Vec<u8>),
    /// This is done, and the stream is over.
    Over(Script),
    /// The stream loses its voice.
    Muted(Muted),
    /// This becomes of the next event.
    Event(Change),
}

/// What no longer passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Muted {
    /// Answers to pings.
    Pongs,
    /// Anything, either way.
    All,
}

/// What becomes of an event.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// It comes twice.
    Twice,
    /// It comes after the next one.
    Swapped,
    /// It does not come.
    Skipped,
    /// It comes a byte at a time.
    InPieces,
    /// It says something else.
    Edited(fn(&mut RawFrame)),
}

/// What no frame of any Runtime is as long as, in bytes.
const OVERSIZE: u64 = 1 << 40;

pub(super) fn stream_closed() -> Tamper {
    Tamper::Over(vec![Step::Close])
}

pub(super) fn stream_reset() -> Tamper {
    Tamper::Over(vec![Step::Reset])
}

pub(super) fn reset_in_frame() -> Tamper {
    let whole = message::write(Opcode::Text, br#"{"kind":"control","control":{}}"#);
    Tamper::Over(vec![Step::Say(whole[..9].to_vec()), Step::Reset])
}

pub(super) fn half_open() -> Tamper {
    Tamper::Muted(Muted::All)
}

pub(super) fn no_pong() -> Tamper {
    Tamper::Muted(Muted::Pongs)
}

pub(super) fn event_twice() -> Tamper {
    Tamper::Event(Change::Twice)
}

pub(super) fn events_swapped() -> Tamper {
    Tamper::Event(Change::Swapped)
}

pub(super) fn event_skipped() -> Tamper {
    Tamper::Event(Change::Skipped)
}

pub(super) fn frame_in_pieces() -> Tamper {
    Tamper::Event(Change::InPieces)
}

pub(super) fn oversized_frame() -> Tamper {
    let mut begun = message::announce(Opcode::Text, OVERSIZE);
    begun.extend_from_slice(b"          ");
    Tamper::Over(vec![Step::Say(begun), Step::Hang])
}

pub(super) fn not_a_frame() -> Tamper {
    Tamper::Said(message::write(Opcode::Text, b"good morning"))
}

pub(super) fn binary_message() -> Tamper {
    Tamper::Said(message::write(Opcode::Binary, br#"{"kind":"control"}"#))
}

pub(super) fn broken_frame() -> Tamper {
    // All bits that are reserved, and an opcode that is none.
    Tamper::Over(vec![Step::Say(vec![0xFF; 16]), Step::Hang])
}

pub(super) fn another_workers_frame() -> Tamper {
    Tamper::Event(Change::Edited(|frame| frame.set("worker_id", &ANOTHER)))
}

pub(super) fn unknown_event_type() -> Tamper {
    Tamper::Event(Change::Edited(|frame| {
        frame.set(
            "event",
            &json!({"type": "from_the_future", "more": [1, 2, 3]}),
        );
    }))
}

pub(super) fn credential_expires() -> Tamper {
    failed(Code::Unauthorized)
}

pub(super) fn cursor_expires() -> Tamper {
    failed(Code::CursorExpired)
}

pub(super) fn cursor_forgotten() -> Tamper {
    failed(Code::CursorUnknown)
}

pub(super) fn worker_forgotten() -> Tamper {
    failed(Code::WorkerNotFound)
}

pub(super) fn stream_fails() -> Tamper {
    failed(Code::Internal)
}

pub(super) fn stream_drains() -> Tamper {
    ended(&StreamEnd::Draining)
}

pub(super) fn reader_too_slow() -> Tamper {
    ended(&StreamEnd::SlowConsumer)
}

pub(super) fn ends_before_stopped() -> Tamper {
    ended(&StreamEnd::Complete)
}

fn failed(code: Code) -> Tamper {
    ended(&StreamEnd::Failed(Failure::new(code)))
}

/// The end as a Runtime says it: the final diagnostic, if there is one, and the close.
fn ended(end: &StreamEnd) -> Tamper {
    let last = end.diagnostic(&Subject::default()).map(|diagnostic| {
        let frame = Frame::Diagnostic(DiagnosticFrame {
            runtime_id: None,
            diagnostic,
        });
        serde_json::to_vec(&frame).expect("frames of the contract serialise")
    });
    let mut bytes = last.map_or_else(Vec::new, |text| message::write(Opcode::Text, &text));
    bytes.extend(message::write(
        Opcode::Close,
        &end.close_code().to_be_bytes(),
    ));
    Tamper::Over(vec![Step::Say(bytes), Step::Hang])
}
