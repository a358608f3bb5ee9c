//! The hand-over, held against feeds made at random: whatever the moment at which a reader comes
//! and however far its own upstream and the shared one are apart, it gets every event once and
//! deltas that join to the byte.

mod joins;

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use yoi_protocol::{Control, RawFrame, RuntimeId, WorkerId};

use super::{Backlog, Found, Pushed};
use crate::handle::Upstream;
use crate::observation::ObservationSettings;
use crate::observation::frame::{Rewriter, WatchedFrame};
use crate::observation::joint::Joint;
use crate::observation::own::{Bounds, Own, Shared};
use crate::observation::upstream::{Open, Resuming};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

/// What may be in flight in these tests.
const IN_FLIGHT_BYTES: usize = 2_000;

/// What a Runtime publishes, and what is in flight before each frame.
struct Feed {
    frames: Vec<Value>,
    /// Before the frame of the same index: the last `seq`, and what is in flight.
    before: Vec<(u64, Option<Value>)>,
}

fn event(seq: u64, event: Value) -> Value {
    json!({"kind": "event", "seq": seq, "cursor": format!("c{seq}"), "worker_id": "w",
        "at": "2026-01-01T00:00:00.000Z", "event": event})
}

fn feed(rng: &mut Rng, length: usize) -> Feed {
    let mut feed = Feed {
        frames: Vec::new(),
        before: Vec::new(),
    };
    let (mut seq, mut run, mut in_flight) = (1, 0, None::<(String, BTreeMap<String, String>)>);
    while feed.frames.len() < length {
        feed.before.push((seq, in_flight.as_ref().map(told)));
        let Some((run_id, texts)) = &mut in_flight else {
            run += 1;
            seq += 1;
            let run_id = format!("run-{run}");
            feed.frames
                .push(event(seq, json!({"type": "run_started", "run_id": run_id})));
            in_flight = Some((run_id, BTreeMap::new()));
            continue;
        };
        let frame = match rng.u8(0..10) {
            0 => {
                texts.clear();
                seq += 1;
                event(seq, json!({"type": "entry_appended", "entry": {}}))
            }
            1 => {
                seq += 1;
                event(
                    seq,
                    json!({"type": "tool_call_started", "run_id": run_id, "call_id": "k", "name": "n"}),
                )
            }
            2 => {
                seq += 1;
                let finished =
                    json!({"type": "run_finished", "run_id": run_id, "outcome": "completed"});
                in_flight = None;
                event(seq, finished)
            }
            _ => {
                let kind = *rng.choice(&["text", "thinking", "tool_arguments"]).unwrap();
                let piece = ["é", "abc", "日本", "x"][rng.usize(0..4)].repeat(rng.usize(1..4));
                let text = texts.entry(kind.to_owned()).or_default();
                let mut delta =
                    json!({"type": kind, "run_id": run_id, "offset": text.len(), "text": piece});
                if kind == "tool_arguments" {
                    delta["call_id"] = "k".into();
                }
                text.push_str(&piece);
                json!({"kind": "delta", "worker_id": "w", "delta": delta})
            }
        };
        feed.frames.push(frame);
    }
    feed.before.push((seq, in_flight.as_ref().map(told)));
    feed
}

fn told((run_id, texts): &(String, BTreeMap<String, String>)) -> Value {
    let text = |kind: &str| texts.get(kind).cloned().unwrap_or_default();
    json!({"run_id": run_id, "text": text("text"), "thinking": text("thinking"),
        "tool_arguments": [{"call_id": "k", "text": text("tool_arguments")}]})
}

/// A reader that breaks where anything is missing, comes twice, or does not join.
struct Witness {
    seq: Option<u64>,
    caught_up: bool,
    told: BTreeMap<String, u64>,
}

impl Witness {
    fn sees(&mut self, frame: &WatchedFrame) {
        let frame: Value = serde_json::from_slice(&frame.text).unwrap();
        match frame["kind"].as_str().unwrap() {
            "event" => {
                let seq = frame["seq"].as_u64().unwrap();
                if let Some(last) = self.seq {
                    assert_eq!(seq, last + 1, "events are dense: {frame}");
                }
                self.seq = Some(seq);
                if matches!(
                    frame["event"]["type"].as_str().unwrap(),
                    "entry_appended" | "run_finished" | "run_started"
                ) {
                    self.told.clear();
                }
            }
            "control" => {
                assert!(!self.caught_up, "caught_up comes once");
                self.caught_up = true;
                let told = &frame["control"]["in_flight"];
                let mut note = |kind: &str, text: &Value| {
                    self.told
                        .insert(kind.into(), text.as_str().unwrap_or("").len() as u64);
                };
                note("text", &told["text"]);
                note("thinking", &told["thinking"]);
                note("tool_arguments", &told["tool_arguments"][0]["text"]);
            }
            _ => {
                assert!(self.caught_up);
                let delta = &frame["delta"];
                let at = self
                    .told
                    .entry(delta["type"].as_str().unwrap().into())
                    .or_default();
                assert_eq!(
                    delta["offset"].as_u64().unwrap(),
                    *at,
                    "deltas join: {frame}"
                );
                let text = delta["text"].as_str().unwrap();
                assert!(!text.is_empty(), "a delta says something: {frame}");
                *at += text.len() as u64;
            }
        }
    }
}

struct NoUpstream;

#[async_trait::async_trait]
impl Upstream for NoUpstream {
    async fn next(&mut self) -> Result<RawFrame, yoi_protocol::StreamEnd> {
        std::future::pending().await
    }
}

/// An upstream of one's own that was opened at `at`, with a snapshot.
fn own(keys: &KeyRing, feed: &Feed, at: usize, witness: Option<&mut Witness>) -> Own {
    let rewriter = Rewriter::new(
        keys,
        &RuntimeId::parse("r").unwrap(),
        &WorkerId::parse("w").unwrap(),
        Scrubber::of(Vec::new()),
    );
    let permit = std::sync::Arc::new(Semaphore::new(1))
        .try_acquire_owned()
        .unwrap();
    let bounds = Bounds {
        patience: std::time::Duration::from_secs(1),
        in_flight_bytes: IN_FLIGHT_BYTES,
        ends_itself: false,
    };
    let again: Open = Box::new(|_| panic!("nothing is lost here"));
    let backoff = ObservationSettings::default().backoff;
    let upstream = Resuming::new(Box::new(NoUpstream), again, backoff);
    let mut own = Own::new(upstream, rewriter, None, bounds, permit);
    let (seq, in_flight) = &feed.before[at];
    let first = [
        event(*seq, json!({"type": "snapshot"})),
        json!({"kind": "control", "control": {"type": "caught_up", "in_flight": in_flight}}),
    ];
    let mut witness = witness;
    for frame in first {
        own.take(raw(&frame)).unwrap();
        let frame = own.pop().unwrap();
        if let Some(witness) = &mut witness {
            witness.sees(&frame);
        }
    }
    own
}

/// What was opened at `at` and is for all now.
fn shared(keys: &KeyRing, feed: &Feed, at: usize, max_bytes: usize) -> (Rewriter, Backlog) {
    let Shared {
        rewriter, backlog, ..
    } = own(keys, feed, at, None).share(max_bytes).unwrap();
    (rewriter, backlog)
}

fn raw(frame: &Value) -> RawFrame {
    RawFrame::parse(&frame.to_string()).unwrap()
}

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
        let mut witness = Witness {
            seq: None,
            caught_up: false,
            told: BTreeMap::new(),
        };
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

/// The same frame as another subscription may get it: a delta in two pieces.
fn split(frame: &Value) -> VecDeque<Value> {
    let Some(text) = frame["delta"]["text"].as_str() else {
        return [frame.clone()].into();
    };
    let Some((cut, _)) = text.char_indices().nth(1) else {
        return [frame.clone()].into();
    };
    let (mut one, mut two) = (frame.clone(), frame.clone());
    one["delta"]["text"] = text[..cut].into();
    two["delta"]["text"] = text[cut..].into();
    two["delta"]["offset"] = (frame["delta"]["offset"].as_u64().unwrap() + cut as u64).into();
    [one, two].into()
}

/// Reads all that is there; counts the frames that were cut to fit.
fn follow(backlog: &Backlog, at: &mut u64, joint: &mut Joint, witness: &mut Witness) -> usize {
    let mut trimmed = 0;
    loop {
        match backlog.at(*at) {
            Found::Item(item) => {
                *at += 1;
                let whole = item.frame.text.len();
                if let Some(frame) = joint.pass(item) {
                    trimmed += usize::from(frame.text.len() != whole);
                    witness.sees(&frame);
                }
            }
            Found::NotYet => return trimmed,
            Found::Fallen => panic!("a reader that follows at once never falls out"),
        }
    }
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
        let upstream = yoi_protocol::Cursor::parse(&format!("c{asked}")).unwrap();
        let resumed = backlog.resume(&shared.seal().seal(&upstream).unwrap());
        assert_eq!(resumed.is_some(), asked >= first, "seed {seed}");
        let Some(resumed) = resumed else { continue };
        let mut witness = Witness {
            seq: Some(asked),
            caught_up: false,
            told: BTreeMap::new(),
        };
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
