//! The hand-over of one reader from its own upstream to the shared one.

use yoi_protocol::RawFrame;

use super::backlog::{Item, ItemPlace};
use super::frame::WatchedFrame;
use super::in_flight::Offsets;

/// Holds live frames against what a reader was told before it came, so that deltas join without
/// hole or overlap. It is over with the first event that sets offsets back.
#[derive(Debug)]
pub(crate) struct Joint(Option<Offsets>);

impl Joint {
    /// For a reader that was told so much since its last event.
    pub(crate) fn new(told: Offsets) -> Self {
        Self(Some(told))
    }

    /// For a reader that has nothing to be held against.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// The frame as this reader gets it; `None` when it was told all of it.
    pub(crate) fn pass(&mut self, item: &Item) -> Option<WatchedFrame> {
        let Some(told) = &mut self.0 else {
            return Some(item.frame.clone());
        };
        match &item.place {
            ItemPlace::Event { mark, .. } => {
                told.mark(mark);
                if *told == Offsets::default() {
                    self.0 = None;
                }
                Some(item.frame.clone())
            }
            ItemPlace::Delta {
                stream,
                offset,
                end,
            } => {
                let known = told.get(stream);
                if *end <= known && known > 0 {
                    return None;
                }
                told.reach(stream.clone(), *end);
                if *offset >= known {
                    return Some(item.frame.clone());
                }
                trimmed(&item.frame, known)
            }
            ItemPlace::Lost | ItemPlace::Restored | ItemPlace::Other => Some(item.frame.clone()),
        }
    }
}

/// The part of a delta from the byte `from` of its text on.
fn trimmed(frame: &WatchedFrame, from: u64) -> Option<WatchedFrame> {
    let mut raw = RawFrame::parse(std::str::from_utf8(&frame.text).ok()?).ok()?;
    let mut delta: serde_json::Map<String, serde_json::Value> = raw.read("delta")?;
    let offset = delta.get("offset")?.as_u64()?;
    let text = delta.get("text")?.as_str()?;
    let cut = usize::try_from(from.checked_sub(offset)?).ok()?;
    let rest = text.get(cut..)?.to_owned();
    delta.insert("offset".into(), from.into());
    delta.insert("text".into(), rest.into());
    raw.set("delta", &delta);
    Some(WatchedFrame {
        text: raw.to_text().into(),
        cursor: None,
    })
}
