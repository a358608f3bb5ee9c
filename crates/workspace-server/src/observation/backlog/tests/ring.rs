//! What the ring takes, what it refuses, and how much of it there may be.

use fastrand::Rng;
use serde_json::{Value, json};

use super::super::{Found, Pushed};
use super::feed::{event, feed, raw};
use super::shared;
use crate::seal::KeyRing;

#[test]
fn a_duplicate_is_dropped_and_a_gap_a_step_back_and_a_hole_are_faults() {
    let keys = KeyRing::random();
    let mut rng = Rng::with_seed(1);
    let feed = feed(&mut rng, 2);
    let (shared, mut backlog) = shared(&keys, &feed, 0, 1 << 20);
    let mut push = |frame: Value| backlog.push(shared.rewrite(raw(&frame)).unwrap());
    let started = json!({"type": "run_started", "run_id": "run-1"});
    assert_eq!(push(event(2, started.clone())), Ok(Pushed::Kept));
    assert_eq!(push(event(2, started.clone())), Ok(Pushed::Duplicate));
    let called =
        json!({"type": "tool_call_started", "run_id": "run-1", "call_id": "k", "name": "n"});
    assert_eq!(push(event(3, called.clone())), Ok(Pushed::Kept));
    assert_eq!(
        push(event(2, started.clone())),
        Ok(Pushed::Duplicate),
        "late"
    );
    assert_eq!(
        push(event(1, started.clone())),
        Ok(Pushed::Duplicate),
        "the base"
    );
    assert!(push(event(5, called)).is_err(), "a gap");
    let mut another = event(2, started);
    another["cursor"] = "c9".into();
    assert!(push(another).is_err(), "a step back");
    let hole = json!({"kind": "delta", "worker_id": "w",
        "delta": {"type": "text", "run_id": "run-1", "offset": 3, "text": "x"}});
    assert!(push(hole).is_err(), "a hole");
    let piece = json!({"kind": "delta", "worker_id": "w",
        "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": "x"}});
    assert_eq!(push(piece.clone()), Ok(Pushed::Kept));
    assert!(push(piece).is_err(), "an overlap");
}

#[test]
fn a_reader_that_falls_out_of_the_ring_is_told() {
    let keys = KeyRing::random();
    let mut rng = Rng::with_seed(7);
    let feed = feed(&mut rng, 40);
    let (shared, mut backlog) = shared(&keys, &feed, 0, 2000);
    for frame in &feed.frames {
        backlog.push(shared.rewrite(raw(frame)).unwrap()).unwrap();
        assert!(backlog.bytes <= 2000 + 600, "bounded: {}", backlog.bytes);
    }
    assert!(matches!(backlog.at(0), Found::Fallen));
    assert!(matches!(backlog.at(backlog.end()), Found::NotYet));
}

#[test]
fn what_is_in_flight_is_bounded_by_its_bytes_its_texts_and_newer_kinds_alike() {
    let keys = KeyRing::random();
    let feed = feed(&mut Rng::with_seed(1), 2);
    let delta = |kind: &str, call: usize, offset: usize, text: &str| {
        json!({"kind": "delta", "worker_id": "w", "delta": {"type": kind, "run_id": "run-1",
            "call_id": format!("k{call}"), "offset": offset, "text": text}})
    };
    let piece = "x".repeat(100);
    let floods: [Box<dyn Fn(usize) -> Value>; 3] = [
        Box::new(|n| delta("text", 0, n * 100, &piece)),
        Box::new(|n| delta("tool_arguments", n, 0, "")),
        Box::new(|n| delta("mood", n, 0, "")),
    ];
    for flood in floods {
        let (rewriter, mut backlog) = shared(&keys, &feed, 0, 1 << 20);
        let mut push = |frame: Value| backlog.push(rewriter.rewrite(raw(&frame)).unwrap());
        let started = json!({"type": "run_started", "run_id": "run-1"});
        push(event(2, started)).unwrap();
        let taken = (0..1000).take_while(|n| push(flood(*n)).is_ok()).count();
        assert!((5..=30).contains(&taken), "{taken} of {}", flood(0));
    }
}

#[test]
fn an_entry_makes_room_for_what_is_said_next() {
    let keys = KeyRing::random();
    let feed = feed(&mut Rng::with_seed(1), 2);
    let (rewriter, mut backlog) = shared(&keys, &feed, 0, 1 << 20);
    let mut push = |frame: Value| backlog.push(rewriter.rewrite(raw(&frame)).unwrap());
    push(event(2, json!({"type": "run_started", "run_id": "run-1"}))).unwrap();
    let piece = "x".repeat(1500);
    let said = json!({"kind": "delta", "worker_id": "w",
        "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": piece}});
    for seq in 3..20 {
        assert_eq!(push(said.clone()), Ok(Pushed::Kept));
        push(event(seq, json!({"type": "entry_appended", "entry": {}}))).unwrap();
    }
}
