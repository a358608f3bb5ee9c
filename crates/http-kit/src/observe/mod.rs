//! Sends a stream of frames to one observer, over a WebSocket or as server-sent events.
//!
//! Both say the same: the frames as they come, one final diagnostic unless the stream is
//! complete, and the end. When the server ends, a source ends itself after its last frame; only
//! one that has not by the last moment is ended from here. A slow observer is held up by its own socket alone: the source keeps
//! what it missed within its own bounds, and says when it fell out of them.

mod batch;
#[cfg(feature = "ws")]
mod outlet;
mod settings;
mod sse;
#[cfg(feature = "ws")]
mod upgrade;
#[cfg(feature = "ws")]
mod websocket;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use yoi_protocol::{Cursor, StreamEnd};

pub use settings::ObserveSettings;
pub use sse::sse;
#[cfg(feature = "ws")]
pub use upgrade::Upgrade;
#[cfg(feature = "ws")]
pub use websocket::websocket;

/// How long an observer gets to take the last words and answer the close.
pub(crate) const GOODBYE: Duration = Duration::from_secs(2);

/// One frame on its way out.
#[derive(Debug, Clone)]
pub struct OutFrame {
    /// The frame as JSON in UTF-8. The bytes are shared by all its readers.
    pub text: Bytes,
    /// Where to resume after it; events have one, other frames have none.
    pub cursor: Option<Cursor>,
}

/// Where frames come from.
pub trait FrameSource: Send + 'static {
    /// The next frame, or how the stream ends; after the end it is not asked again.
    ///
    /// Cancel-safe: a call that is dropped before it is ready has lost no frame.
    fn next(&mut self) -> impl Future<Output = Result<OutFrame, StreamEnd>> + Send;

    /// What is there at once, so that frames that come together are sent together. `None` when
    /// the next frame has to be waited for.
    fn try_next(&mut self) -> Option<Result<OutFrame, StreamEnd>>;
}
