//! Where a watcher's frames come from.

use async_trait::async_trait;
use worker_runtime::Observation;
use yoi_protocol::{RawFrame, StreamEnd};

/// Something that gives the frames of a Worker, one JSON text at a time.
///
/// ```
/// use yoi_protocol::StreamEnd;
/// use yoi_testkit::{FrameSource, Watcher, fixtures};
///
/// /// A stream that somebody wrote down.
/// struct Written(Vec<&'static str>);
///
/// #[async_trait::async_trait]
/// impl FrameSource for Written {
///     async fn next_text(&mut self) -> Result<String, StreamEnd> {
///         self.0.pop().map(str::to_owned).ok_or(StreamEnd::Complete)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let frames = ["frames/run_finished", "frames/run_started"];
/// let mut watcher = Watcher::of(Written(frames.map(|name| fixtures::get(name).text()).to_vec()));
/// assert_eq!(watcher.end().await, StreamEnd::Complete);
/// assert_eq!(watcher.types(), ["run_started", "run_finished"]);
/// # }
/// ```
#[async_trait]
pub trait FrameSource: Send {
    /// The next frame.
    ///
    /// # Errors
    /// How the stream ended; the same again on every further call.
    async fn next_text(&mut self) -> Result<String, StreamEnd>;
}

#[async_trait]
impl FrameSource for Observation {
    async fn next_text(&mut self) -> Result<String, StreamEnd> {
        let frame = self.next().await?;
        let text = String::from_utf8(frame.text.to_vec()).expect("a Runtime's frames are UTF-8");
        if let Ok(raw) = RawFrame::parse(&text) {
            assert_eq!(raw.cursor(), frame.cursor, "the cursor stands in the frame");
            let control = raw.payload_type("control");
            assert!(
                control.as_deref().is_none_or(|said| said == "caught_up"),
                "a Runtime never says {control:?}"
            );
        }
        Ok(text)
    }
}

#[cfg(feature = "servers")]
#[async_trait]
impl FrameSource for yoi_client::FrameStream {
    async fn next_text(&mut self) -> Result<String, StreamEnd> {
        Ok(self.next().await?.to_text())
    }
}

#[cfg(feature = "servers")]
#[async_trait]
impl FrameSource for yoi_workspace_server::Watch {
    async fn next_text(&mut self) -> Result<String, StreamEnd> {
        let frame = self.next().await?;
        Ok(String::from_utf8(frame.text.to_vec()).expect("a Backend's frames are UTF-8"))
    }
}
