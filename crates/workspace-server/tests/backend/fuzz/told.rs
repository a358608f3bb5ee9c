//! What a watcher was told, held to the contract.

use std::collections::HashMap;

use serde_json::Value;
use yoi_protocol::{Code, StreamEnd};
use yoi_workspace_server::Watch;

/// What a watcher was told, and how that ended, if it did.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) frames: Vec<Value>,
    pub(super) end: Option<StreamEnd>,
}

/// A frame as a browser reads it: half a character is JSON all the same, and passes untouched.
fn parsed(text: &str) -> Value {
    let whole = |text: &str| {
        let mut whole = text.to_owned();
        while let Some(half) = ["\\ud", "\\uD"].iter().find_map(|half| whole.find(half)) {
            whole.replace_range(half..half + "\\ud800".len(), "?");
        }
        whole
    };
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&whole(text)))
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Told {
    /// Reads on until the end. Cancel-safe.
    pub(super) async fn read(&mut self, watch: &mut Watch) {
        while self.end.is_none() {
            match watch.next().await {
                Ok(frame) => {
                    let text = std::str::from_utf8(&frame.text).unwrap();
                    self.frames.push(parsed(text));
                }
                Err(end) => self.end = Some(end),
            }
        }
    }

    /// What is told as an event, without the Backend's cursors.
    pub(super) fn events(&self) -> Vec<(u64, Value)> {
        let events = self.frames.iter().filter(|frame| frame["kind"] == "event");
        let plain = |frame: &Value| (frame["seq"].as_u64().unwrap(), frame["event"].clone());
        events.map(plain).collect()
    }

    /// The cursor of the last event.
    pub(super) fn cursor(&self) -> Option<String> {
        let mut cursors = self.frames.iter().rev();
        cursors.find_map(|frame| frame["cursor"].as_str().map(str::to_owned))
    }

    /// Whether it was told that nothing can follow.
    pub(super) fn is_complete(&self) -> bool {
        self.end == Some(StreamEnd::Complete)
    }

    /// How often the upstream was lost.
    pub(super) fn losses(&self) -> usize {
        let is_loss = |frame: &&Value| frame["control"]["type"] == "upstream_lost";
        self.frames.iter().filter(is_loss).count()
    }

    /// Where deltas do not join, of a Runtime whose words are its own.
    pub(super) fn joins(&self) -> Result<(), String> {
        let mut known: HashMap<String, u64> = HashMap::new();
        let length = |text: &Value| text.as_str().map_or(0, |text| text.len() as u64);
        for frame in &self.frames {
            let delta = &frame["delta"];
            let at = format!("{} {}", delta["run_id"], delta["type"]);
            let of_kind = ["event", "control"].map(|kind| frame[kind]["type"].as_str());
            match (frame["kind"].as_str(), of_kind) {
                (Some("event"), [Some("run_started" | "entry_appended" | "run_finished"), _]) => {
                    known.clear();
                }
                (Some("control"), [_, Some("caught_up")]) => {
                    let in_flight = &frame["control"]["in_flight"];
                    let at = format!("{} {}", in_flight["run_id"], "\"text\"");
                    known = HashMap::from([(at, length(&in_flight["text"]))]);
                }
                (Some("delta"), _) => {
                    let end = known.entry(at).or_default();
                    if delta["offset"].as_u64() != Some(*end) {
                        return Err(format!("{frame} after {end}, of {:#?}", self.frames));
                    }
                    *end += length(&delta["text"]);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What holds whatever the Runtime said.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut last_seq = None;
        let mut is_lost = false;
        let mut cursors = HashMap::new();
        for frame in &self.frames {
            let wrong = |what: &str| Err(format!("{what}: {frame}\nof {:#?}", self.frames));
            if frame["runtime_id"] != "inside" {
                return wrong("names another runtime");
            }
            match frame["kind"].as_str() {
                Some("event") => {
                    let (Some(seq), Some(cursor)) =
                        (frame["seq"].as_u64(), frame["cursor"].as_str())
                    else {
                        return wrong("an event without a place");
                    };
                    if last_seq.is_some_and(|last: u64| last.checked_add(1) != Some(seq)) {
                        return wrong("a gap or a step back");
                    }
                    last_seq = Some(seq);
                    if cursors.insert(cursor.to_owned(), seq).is_some() {
                        return wrong("a cursor that two events have");
                    }
                }
                Some("control") => match frame["control"]["type"].as_str() {
                    Some("upstream_lost") => is_lost = true,
                    Some("upstream_restored") if !is_lost => return wrong("nothing was lost"),
                    Some("upstream_restored") => is_lost = false,
                    _ => {}
                },
                _ => {}
            }
        }
        match &self.end {
            None => Err(format!("waits for ever: {self:?}")),
            Some(StreamEnd::Draining | StreamEnd::ObservationOnly) => {
                Err(format!("nobody did that: {:?}", self.end))
            }
            Some(StreamEnd::Failed(failure)) if failure.code == Code::Internal => {
                Err(format!("a fault of ours: {failure:?}"))
            }
            _ => Ok(()),
        }
    }
}
