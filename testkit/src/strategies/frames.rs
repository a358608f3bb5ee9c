//! Frames: of a Runtime without a `runtime_id`, of a Backend with one.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use yoi_protocol::{
    Control, ControlFrame, DeltaFrame, DiagnosticFrame, EventFrame, Frame, FrameDiagnostic,
    InFlight, StreamEnd, Subject, ToolArguments,
};

use super::{
    MAX_COUNT, code, cursor, delta, event, failure, run_id, runtime_id, text, timestamp, worker_id,
};

/// Any frame, of either server.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_protocol::RawFrame;
/// use yoi_testkit::strategies::frame;
///
/// // A proxy takes a frame apart and puts it together again without a change.
/// proptest!(|(frame in frame())| {
///     let text = serde_json::to_string(&frame).unwrap();
///     prop_assert_eq!(RawFrame::parse(&text).unwrap().to_text(), text);
/// });
/// ```
pub fn frame() -> impl Strategy<Value = Frame> + Clone {
    prop_oneof![
        6 => event_frame().prop_map(Frame::Event),
        3 => delta_frame().prop_map(Frame::Delta),
        2 => control_frame().prop_map(Frame::Control),
        1 => diagnostic_frame().prop_map(Frame::Diagnostic),
    ]
}

/// A frame with any event, anywhere in a log.
pub fn event_frame() -> impl Strategy<Value = EventFrame> + Clone {
    let place = (
        1..=MAX_COUNT,
        cursor(),
        option::of(runtime_id()),
        worker_id(),
    );
    (place, timestamp(), event()).prop_map(|((seq, cursor, runtime_id, worker_id), at, event)| {
        EventFrame {
            seq,
            cursor,
            runtime_id,
            worker_id,
            at,
            event,
        }
    })
}

/// A frame with any delta.
pub fn delta_frame() -> impl Strategy<Value = DeltaFrame> + Clone {
    (option::of(runtime_id()), worker_id(), delta()).prop_map(|(runtime_id, worker_id, delta)| {
        DeltaFrame {
            runtime_id,
            worker_id,
            delta,
        }
    })
}

/// A frame about its stream.
pub fn control_frame() -> impl Strategy<Value = ControlFrame> + Clone {
    (option::of(runtime_id()), control()).prop_map(|(runtime_id, control)| ControlFrame {
        runtime_id,
        control,
    })
}

/// What can be said of a stream. Never [`Control::Unknown`]: that is what a reader makes of words
/// that it does not know, and no server says it.
pub fn control() -> impl Strategy<Value = Control> + Clone {
    prop_oneof![
        option::of(in_flight()).prop_map(|in_flight| Control::CaughtUp { in_flight }),
        code().prop_map(|code| Control::UpstreamLost { code }),
        Just(Control::UpstreamRestored),
    ]
}

/// What a run has said since its last entry.
pub fn in_flight() -> impl Strategy<Value = InFlight> + Clone {
    let arguments = (text(), text()).prop_map(|(call_id, text)| ToolArguments { call_id, text });
    (run_id(), text(), text(), vec(arguments, 0..3)).prop_map(
        |(run_id, text, thinking, tool_arguments)| InFlight {
            run_id,
            text,
            thinking,
            tool_arguments,
        },
    )
}

/// The last frame of a stream, in the words that both servers use.
pub fn diagnostic_frame() -> impl Strategy<Value = DiagnosticFrame> + Clone {
    let end = prop_oneof![
        Just(StreamEnd::SlowConsumer),
        Just(StreamEnd::Draining),
        Just(StreamEnd::ObservationOnly),
        failure().prop_map(StreamEnd::Failed),
    ];
    (option::of(runtime_id()), end).prop_map(|(runtime_id, end)| DiagnosticFrame {
        diagnostic: said_at(&end),
        runtime_id,
    })
}

fn said_at(end: &StreamEnd) -> FrameDiagnostic {
    end.diagnostic(&Subject::default())
        .expect("an end that is not complete says why")
}
