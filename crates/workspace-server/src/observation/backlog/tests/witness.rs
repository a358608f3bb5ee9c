//! Who reads, and breaks where anything is missing, comes twice, or does not join.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{Backlog, Found};
use crate::observation::frame::WatchedFrame;
use crate::observation::joint::Joint;

/// A reader that breaks where anything is missing, comes twice, or does not join.
pub(super) struct Witness {
    pub(super) seq: Option<u64>,
    caught_up: bool,
    told: BTreeMap<String, u64>,
}

impl Witness {
    /// One that knows of nothing after this event, or of nothing at all.
    pub(super) fn after(seq: Option<u64>) -> Self {
        Self {
            seq,
            caught_up: false,
            told: BTreeMap::new(),
        }
    }

    pub(super) fn sees(&mut self, frame: &WatchedFrame) {
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

/// Reads all that is there; counts the frames that were cut to fit.
pub(super) fn follow(
    backlog: &Backlog,
    at: &mut u64,
    joint: &mut Joint,
    witness: &mut Witness,
) -> usize {
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
