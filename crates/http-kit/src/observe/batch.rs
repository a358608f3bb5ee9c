//! Frames that are there together go out together.

use yoi_protocol::StreamEnd;

use super::{FrameSource, OutFrame};

/// How many bytes of frames are put together before they are sent.
const BATCH_BYTES: usize = 64 * 1024;

/// Some frames, and the end if it comes right after them.
pub(super) struct Batch {
    pub(super) frames: Vec<OutFrame>,
    pub(super) end: Option<StreamEnd>,
}

impl Batch {
    /// The batch of a stream that ends.
    pub(super) fn ending(end: StreamEnd) -> Self {
        Self {
            frames: Vec::new(),
            end: Some(end),
        }
    }

    /// Waits for a frame and takes what is there after it. Cancel-safe: nothing is awaited once
    /// a frame is taken.
    pub(super) async fn next<S: FrameSource>(source: &mut S) -> Self {
        match source.next().await {
            Ok(first) => Self::from(first, source),
            Err(end) => Self::ending(end),
        }
    }

    fn from<S: FrameSource>(first: OutFrame, source: &mut S) -> Self {
        let mut bytes = first.text.len();
        let mut frames = vec![first];
        let mut end = None;
        while bytes < BATCH_BYTES {
            match source.try_next() {
                None => break,
                Some(Ok(frame)) => {
                    bytes += frame.text.len();
                    frames.push(frame);
                }
                Some(Err(why)) => {
                    end = Some(why);
                    break;
                }
            }
        }
        Self { frames, end }
    }
}
