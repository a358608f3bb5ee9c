//! Where a reader that comes from elsewhere goes on in a ring that has a loss in it.

use serde_json::json;
use yoi_protocol::{Code, Control, Cursor, RuntimeId, WorkerId};

use super::super::{Backlog, ItemPlace, Standing};
use super::{IN_FLIGHT_BYTES, event, raw};
use crate::observation::frame::Rewriter;
use crate::observation::in_flight::{Fold, Offsets};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

#[test]
fn who_did_not_hear_of_a_loss_goes_on_behind_it_or_not_at_all() {
    let keys = KeyRing::random();
    let (runtime, worker) = (RuntimeId::parse("r"), WorkerId::parse("w"));
    let rewriter = Rewriter::new(
        &keys,
        &runtime.unwrap(),
        &worker.unwrap(),
        Scrubber::of(Vec::new()),
    );
    let standing = |seq: u64| Standing {
        seq: Some(seq),
        cursor: sealed(&rewriter, seq),
        told: Offsets::default(),
    };
    let fold = Fold::new(None, IN_FLIGHT_BYTES);
    let mut backlog = Backlog::new(standing(1), fold, 1 << 20);
    let push = |backlog: &mut Backlog, seq| {
        let frame = event(seq, json!({"type": "status_changed", "status": "idle"}));
        backlog
            .push(rewriter.rewrite(raw(&frame)).unwrap())
            .unwrap();
    };
    let code = Code::RuntimeUnreachable;
    push(&mut backlog, 2);
    let lost = rewriter.control(Control::UpstreamLost { code });
    backlog.say(lost, ItemPlace::Lost);
    push(&mut backlog, 3);
    push(&mut backlog, 4);
    let restored = rewriter.control(Control::UpstreamRestored);
    backlog.say(restored, ItemPlace::Restored);
    push(&mut backlog, 5);

    let at = |seq| backlog.join(&standing(seq));
    assert_eq!(at(1), Some(0), "it hears of the loss");
    assert_eq!(at(2), Some(1), "so does who stands just before it");
    assert_eq!(at(3), None, "an event was missed, and its deltas");
    assert_eq!(at(4), Some(5), "behind it: nothing was missed");
    assert_eq!(at(5), Some(6));
}

fn sealed(rewriter: &Rewriter, seq: u64) -> Cursor {
    let cursor = Cursor::parse(&format!("c{seq}")).unwrap();
    rewriter.seal().seal(&cursor).unwrap()
}
