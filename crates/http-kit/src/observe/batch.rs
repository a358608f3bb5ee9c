//! Frames that are there together go out together.

use yoi_protocol::StreamEnd;

use super::{FrameSource, OutFrame};
use crate::server::Drain;

/// How many bytes of frames are put together before they are sent.
const BATCH_BYTES: usize = 64 * 1024;

/// Some frames, and the end if it comes right after them.
pub(super) struct Batch {
    pub(super) frames: Vec<OutFrame>,
    pub(super) end: Option<StreamEnd>,
}

impl Batch {
    fn ending(end: StreamEnd) -> Self {
        Self {
            frames: Vec::new(),
            end: Some(end),
        }
    }

    /// Waits for a frame and takes what is there after it, until the source ends or `drain` ends
    /// all streams. Then, too, what is there goes first: a source has last words of its own.
    ///
    /// Cancel-safe: nothing is awaited once a frame is taken.
    pub(super) async fn next<S: FrameSource>(source: &mut S, drain: &Drain) -> Self {
        let mut batch = tokio::select! {
            biased;
            next = source.next() => match next {
                Ok(first) => Self::from(first, source),
                Err(end) => Self::ending(end),
            },
            () = drain.streams_ended() => Self::ending(StreamEnd::Draining),
        };
        if drain.has_ended_streams() {
            batch.end.get_or_insert(StreamEnd::Draining);
        }
        batch
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
