//! Frames as they come.

use serde_json::Value;

/// One observation.
pub(crate) struct Watch {
    response: reqwest::Response,
    buffered: Vec<u8>,
}

/// One frame, and its text as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Frame {
    /// The number of an event; `None` for any other frame.
    pub(crate) fn seq(&self) -> Option<u64> {
        self.json["seq"].as_u64()
    }

    /// Its type, if it is an event.
    pub(crate) fn event(&self) -> Option<&str> {
        self.json["event"]["type"].as_str()
    }

    pub(crate) fn is_caught_up(&self) -> bool {
        self.json["control"]["type"] == "caught_up"
    }

    /// Whether it says that the Worker has no run any more.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.event() == Some("status_changed") && self.json["event"]["status"] != "running"
    }
}

impl Watch {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self {
            response,
            buffered: Vec::new(),
        }
    }

    /// The next frame; `None` when the stream ends, in order or not.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            while let Some(end) = self.buffered.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffered.drain(..=end).collect();
                let line = String::from_utf8(line).expect("UTF-8");
                if let Some(text) = line.strip_prefix("data: ") {
                    let text = text.trim_end().to_owned();
                    let json = serde_json::from_str(&text).expect("a frame is JSON");
                    return Some(Frame { text, json });
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffered.extend_from_slice(&chunk);
        }
    }
}
