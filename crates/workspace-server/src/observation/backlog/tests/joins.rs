//! Where a reader that comes from elsewhere goes on in a ring, also in one that has a loss in it.

use serde_json::json;
use yoi_protocol::{Code, Control, Cursor, RuntimeId, WorkerId};

use super::super::{Backlog, ItemPlace, Standing};
use super::IN_FLIGHT_BYTES;
use super::feed::{event, raw};
use crate::observation::frame::Rewriter;
use crate::observation::in_flight::{Fold, Offsets};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

struct Ring {
    rewriter: Rewriter,
    backlog: Backlog,
}

impl Ring {
    /// One that begins after the event 1.
    fn new(max_bytes: usize) -> Self {
        let (runtime, worker) = (RuntimeId::parse("r"), WorkerId::parse("w"));
        let rewriter = Rewriter::new(
            &KeyRing::random(),
            &runtime.unwrap(),
            &worker.unwrap(),
            Scrubber::of(Vec::new()),
        );
        let fold = Fold::new(None, IN_FLIGHT_BYTES);
        let backlog = Backlog::new(standing(&rewriter, 1), fold, max_bytes);
        Self { rewriter, backlog }
    }

    fn push(&mut self, seq: u64) {
        let frame = event(seq, json!({"type": "status_changed", "status": "idle"}));
        let frame = self.rewriter.rewrite(raw(&frame)).unwrap();
        self.backlog.push(frame).unwrap();
    }

    fn lose(&mut self) {
        let code = Code::RuntimeUnreachable;
        let lost = self.rewriter.control(Control::UpstreamLost { code });
        self.backlog.say(lost, ItemPlace::Lost);
    }

    fn restore(&mut self) {
        let restored = self.rewriter.control(Control::UpstreamRestored);
        self.backlog.say(restored, ItemPlace::Restored);
    }

    /// Where who stands after an event goes on.
    fn at(&self, seq: u64) -> Option<u64> {
        self.backlog.join(&standing(&self.rewriter, seq)).unwrap()
    }
}

#[test]
fn who_did_not_hear_of_a_loss_goes_on_behind_it_or_not_at_all() {
    let mut ring = Ring::new(1 << 20);
    ring.push(2);
    ring.lose();
    ring.push(3);
    ring.push(4);
    ring.restore();
    ring.push(5);
    assert_eq!(ring.at(1), Some(0), "it hears of the loss");
    assert_eq!(ring.at(2), Some(1), "so does who stands just before it");
    assert_eq!(ring.at(3), None, "an event was missed, and its deltas");
    assert_eq!(ring.at(4), Some(5), "behind it: nothing was missed");
    assert_eq!(ring.at(5), Some(6));
}

#[test]
fn a_loss_whose_beginning_is_no_longer_there_is_one_all_the_same() {
    let mut ring = Ring::new(1_300);
    ring.lose();
    ring.push(2);
    ring.push(3);
    ring.restore();
    assert_eq!(ring.backlog.first, 1, "its beginning is given up");
    assert_eq!([1, 2, 3].map(|seq| ring.at(seq)), [None, None, Some(4)]);
}

fn standing(rewriter: &Rewriter, seq: u64) -> Standing {
    Standing {
        seq: Some(seq),
        cursor: sealed(rewriter, seq),
        told: Offsets::default(),
    }
}

fn sealed(rewriter: &Rewriter, seq: u64) -> Cursor {
    let cursor = Cursor::parse(&format!("c{seq}")).unwrap();
    rewriter.seal().seal(&cursor).unwrap()
}

/// A ring that began after a cursor learns where that is from the first event that it is told.
#[test]
fn a_ring_that_began_after_a_cursor_learns_its_number() {
    for first in [1, 2] {
        let mut ring = Ring::new(1 << 20);
        let base = Standing {
            seq: None,
            ..standing(&ring.rewriter, 1)
        };
        ring.backlog = Backlog::new(base, Fold::new(None, IN_FLIGHT_BYTES), 1 << 20);
        ring.push(first);
        let taken = ring.backlog.end();
        assert_eq!(
            taken,
            first - 1,
            "what it stands on comes twice, and is dropped"
        );
        assert_eq!(ring.at(1), Some(0));
        let mut wrong = standing(&ring.rewriter, 1);
        wrong.seq = Some(7);
        assert!(ring.backlog.join(&wrong).is_err());
    }
}

#[test]
fn who_knows_an_event_by_another_number_is_refused() {
    let mut ring = Ring::new(1 << 20);
    ring.push(2);
    for event in [1, 2] {
        let mut at = standing(&ring.rewriter, event);
        for number in [Some(event), None] {
            at.seq = number;
            let joined = ring.backlog.join(&at);
            assert!(joined.is_ok_and(|at| at.is_some()), "{event} as {number:?}");
        }
        at.seq = Some(u64::MAX);
        let refused = ring.backlog.join(&at).unwrap_err();
        assert_eq!(refused.code, Code::RuntimeProtocolError, "{event}");
    }
}
