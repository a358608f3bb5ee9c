//! What a Runtime publishes of a Worker, made at random.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use serde_json::{Value, json};
use yoi_protocol::RawFrame;

/// What a Runtime publishes, and what is in flight before each frame.
pub(super) struct Feed {
    pub(super) frames: Vec<Value>,
    /// Before the frame of the same index: the last `seq`, and what is in flight.
    pub(super) before: Vec<(u64, Option<Value>)>,
}

pub(super) fn event(seq: u64, event: Value) -> Value {
    json!({"kind": "event", "seq": seq, "cursor": format!("c{seq}"), "worker_id": "w",
        "at": "2026-01-01T00:00:00.000Z", "event": event})
}

pub(super) fn feed(rng: &mut Rng, length: usize) -> Feed {
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

/// The same frame as another subscription may get it: a delta in two pieces.
pub(super) fn split(frame: &Value) -> VecDeque<Value> {
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

pub(super) fn raw(frame: &Value) -> RawFrame {
    RawFrame::parse(&frame.to_string()).unwrap()
}
