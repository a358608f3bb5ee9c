//! The hand-over, held against feeds made at random: whatever the moment at which a reader comes
//! and however far its own upstream and the shared one are apart, it gets every event once and
//! deltas that join to the byte.

use std::collections::VecDeque;

use fastrand::Rng;
use yoi_protocol::{Control, Cursor};

use super::super::Pushed;
use super::feed::{feed, raw, split};
use super::witness::{Witness, follow};
use super::{own, shared};
use crate::observation::joint::Joint;
use crate::seal::KeyRing;

#[test]
fn a_reader_that_is_handed_over_misses_nothing_and_gets_nothing_twice() {
    let keys = KeyRing::random();
    let (mut joined, mut trimmed) = (0, 0);
    for seed in 0..800 {
        let mut rng = Rng::with_seed(seed);
        let feed = feed(&mut rng, 40);
        // The shared upstream began here …
        let mut shared_at = rng.usize(0..30);
        let max_bytes = if rng.bool() {
            1 << 20
        } else {
            rng.usize(600..4000)
        };
        let (shared, mut backlog) = shared(&keys, &feed, shared_at, max_bytes);
        // … and the reader's own one there, in whatever order.
        let mut own_at = rng.usize(0..40);
        let mut witness = Witness::after(None);
        let mut mine = own(&keys, &feed, own_at, Some(&mut witness));
        let mut position = None;
        let mut pieces = VecDeque::new();
        while shared_at < 40 || (position.is_none() && (own_at < 40 || !pieces.is_empty())) {
            if position.is_none() {
                let standing = mine.ready().unwrap();
                position = backlog
                    .join(standing)
                    .unwrap()
                    .map(|at| (at, Joint::new(standing.told.clone())));
                joined += usize::from(position.is_some());
            }
            if let Some((at, joint)) = &mut position {
                trimmed += follow(&backlog, at, joint, &mut witness);
            }
            let mine_is_done = own_at == 40 && pieces.is_empty();
            if shared_at < 40 && (mine_is_done || rng.bool()) {
                let frame = shared.rewrite(raw(&feed.frames[shared_at])).unwrap();
                assert_eq!(backlog.push(frame), Ok(Pushed::Kept));
                shared_at += 1;
            } else if position.is_none() && !mine_is_done {
                if pieces.is_empty() {
                    pieces = split(&feed.frames[own_at]);
                    own_at += 1;
                }
                mine.take(raw(&pieces.pop_front().unwrap())).unwrap();
                witness.sees(&mine.pop().unwrap());
            }
        }
        match &mut position {
            Some((at, joint)) => trimmed += follow(&backlog, at, joint, &mut witness),
            None => assert!(
                backlog.join(mine.ready().unwrap()).unwrap().is_some(),
                "seed {seed}: at the same place they meet"
            ),
        }
        assert_eq!(
            witness.seq,
            Some(feed.before[40].0),
            "seed {seed}: the reader got to the end"
        );
    }
    assert!(
        joined > 300 && trimmed > 20,
        "vacuous: {joined} joined, {trimmed} trimmed"
    );
}

#[test]
fn a_cursor_in_the_ring_is_served_from_it_and_one_before_it_is_not() {
    let keys = KeyRing::random();
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let feed = feed(&mut rng, 40);
        let start = rng.usize(0..20);
        let (shared, mut backlog) = shared(&keys, &feed, start, 1 << 20);
        let until = rng.usize(start..40);
        for frame in &feed.frames[start..until] {
            backlog.push(shared.rewrite(raw(frame)).unwrap()).unwrap();
        }
        let first = feed.before[start].0;
        let last = feed.before[until].0;
        let asked = rng.u64(1..=last);
        let upstream = Cursor::parse(&format!("c{asked}")).unwrap();
        let resumed = backlog.resume(&shared.seal().seal(&upstream).unwrap());
        assert_eq!(resumed.is_some(), asked >= first, "seed {seed}");
        let Some(resumed) = resumed else { continue };
        let mut witness = Witness::after(Some(asked));
        for frame in &resumed.events {
            witness.sees(frame);
        }
        assert_eq!(
            witness.seq,
            Some(last),
            "seed {seed}: every event after the cursor"
        );
        witness.sees(&shared.control(Control::CaughtUp {
            in_flight: resumed.in_flight,
        }));
        for frame in &feed.frames[until..] {
            backlog.push(shared.rewrite(raw(frame)).unwrap()).unwrap();
        }
        let mut at = resumed.position;
        follow(&backlog, &mut at, &mut Joint::none(), &mut witness);
        assert_eq!(witness.seq, Some(feed.before[40].0), "seed {seed}");
    }
}
