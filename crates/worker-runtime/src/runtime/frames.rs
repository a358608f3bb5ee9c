//! Events, deltas and controls as the frames that observers get.

use bytes::Bytes;
use serde::Serialize;
use yoi_protocol::{
    Control, ControlFrame, Cursor, Delta, DeltaFrame, EventFrame, Frame, InFlight, WorkerId,
};

use super::ObservedFrame;
use crate::store::{LogId, StoredEvent};
use crate::token::Position;

/// The position of an event.
pub(super) fn cursor(log: &LogId, seq: u64) -> Cursor {
    let life = log.life;
    Position { life, seq }.to_cursor()
}

pub(super) fn event(log: &LogId, stored: &StoredEvent) -> ObservedFrame {
    let cursor = cursor(log, stored.seq);
    let frame = Frame::Event(EventFrame {
        seq: stored.seq,
        cursor: cursor.clone(),
        runtime_id: None,
        worker_id: log.worker_id.clone(),
        at: stored.at,
        event: stored.event.clone(),
    });
    ObservedFrame {
        text: text(&frame),
        cursor: Some(cursor),
    }
}

pub(super) fn delta(worker_id: &WorkerId, delta: Delta) -> ObservedFrame {
    let frame = Frame::Delta(DeltaFrame {
        runtime_id: None,
        worker_id: worker_id.clone(),
        delta,
    });
    ObservedFrame {
        text: text(&frame),
        cursor: None,
    }
}

pub(super) fn caught_up(in_flight: Option<InFlight>) -> ObservedFrame {
    let frame = Frame::Control(ControlFrame {
        runtime_id: None,
        control: Control::CaughtUp { in_flight },
    });
    ObservedFrame {
        text: text(&frame),
        cursor: None,
    }
}

fn text<T: Serialize>(frame: &T) -> Bytes {
    serde_json::to_vec(frame)
        .expect("the contract's types always serialise")
        .into()
}
