//! An open event stream.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, protocol::CloseFrame};
use yoi_protocol::{BootId, Cursor, FrameDiagnostic, RawFrame, StreamEnd};

use super::close;
use crate::transport::Duplex;

/// How long the close after a final diagnostic is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a stream knows of itself.
pub(super) struct Watching {
    /// Whether a Backend watches a Runtime.
    pub(super) link: bool,
    pub(super) idle: Duration,
    pub(super) boot_id: Option<BootId>,
}

/// A Worker's frames, in order, until the stream ends.
///
/// Frames are checked for their envelope and kept to the byte. The final diagnostic is not a frame
/// here: it becomes the [`StreamEnd`]. Dropping the stream cuts the connection.
pub struct FrameStream {
    socket: WebSocketStream<Box<dyn Duplex>>,
    watching: Watching,
    /// When something was heard last.
    heard: Instant,
    /// When a ping was sent, if one was since.
    pinged: Option<Instant>,
    diagnostic: Option<FrameDiagnostic>,
    ended: Option<StreamEnd>,
}

impl FrameStream {
    pub(super) fn new(socket: WebSocketStream<Box<dyn Duplex>>, watching: Watching) -> Self {
        Self {
            socket,
            watching,
            heard: Instant::now(),
            pinged: None,
            diagnostic: None,
            ended: None,
        }
    }

    /// Which start of the Runtime answered, where it says so.
    #[must_use]
    pub fn boot_id(&self) -> Option<&BootId> {
        self.watching.boot_id.as_ref()
    }

    /// The next frame. May be dropped and called again: no frame is lost.
    ///
    /// A server that says nothing for half of the idle time is pinged, and the stream counts as
    /// lost when it says nothing for the other half. Pings of the server are answered only while
    /// this is being waited for: a caller that does not come back for frames is dropped by the
    /// server.
    ///
    /// # Errors
    /// [`StreamEnd`]: what the far end said, or how the link failed. The same again on every
    /// further call.
    pub async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        loop {
            if let Some(end) = &self.ended {
                return Err(end.clone());
            }
            let heard = match timeout_at(self.patience(), self.socket.next()).await {
                Err(_elapsed) => {
                    self.on_silence().await;
                    continue;
                }
                Ok(heard) => heard,
            };
            self.heard = Instant::now();
            self.pinged = None;
            match heard {
                Some(Ok(Message::Text(text))) if self.diagnostic.is_none() => {
                    if let Some(frame) = self.on_text(&text) {
                        return Ok(frame);
                    }
                }
                // After the final diagnostic only the close is of interest.
                Some(Ok(Message::Text(_))) => {}
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => self.ended = Some(close::garbled()),
                Some(Ok(Message::Close(frame))) => {
                    self.finish(frame.map(|frame| u16::from(frame.code)));
                    // The answer to the close is queued by now; the end is known without it.
                    let _ = timeout(FAREWELL, self.socket.flush()).await;
                }
                Some(Err(error)) => self.on_error(&error),
                None => self.finish(None),
            }
        }
    }

    /// Ends the stream in good order, instead of cutting it by being dropped.
    pub async fn close(mut self) {
        let goodbye = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        // A peer that does not take it is cut off by the drop that follows.
        let _ = timeout(FAREWELL, self.socket.close(Some(goodbye))).await;
    }

    /// Until when to wait for the next message.
    fn patience(&self) -> Instant {
        if self.diagnostic.is_some() {
            self.heard + FAREWELL
        } else if let Some(pinged) = self.pinged {
            // The server has its time to answer also where it was this machine that stood still.
            pinged + self.watching.idle / 2
        } else {
            self.heard + self.watching.idle / 2
        }
    }

    async fn on_silence(&mut self) {
        if self.diagnostic.is_some() {
            self.finish(None);
        } else if self.pinged.is_some() {
            self.ended = Some(close::silent());
        } else {
            self.pinged = Some(Instant::now());
            let by = self.patience();
            // A ping that cannot be sent is a silence like any other.
            let _ = timeout_at(by, self.socket.send(Message::Ping(Bytes::new()))).await;
        }
    }

    /// A frame, or `None` when the text ends the stream.
    fn on_text(&mut self, text: &str) -> Option<RawFrame> {
        let Ok(frame) = RawFrame::parse(text) else {
            self.ended = Some(close::garbled());
            return None;
        };
        if frame.kind().as_deref() == Some("diagnostic") {
            self.diagnostic = frame.read("diagnostic");
            if self.diagnostic.is_none() {
                self.ended = Some(close::garbled());
            }
            return None;
        }
        // A Backend seals these cursors into its own, which are bounded, too.
        let too_long = |cursor: Cursor| cursor.as_str().len() > Cursor::RUNTIME_MAX;
        if self.watching.link && frame.cursor().is_some_and(too_long) {
            self.ended = Some(close::garbled());
            return None;
        }
        Some(frame)
    }

    fn finish(&mut self, close_code: Option<u16>) {
        self.ended = Some(close::end(
            self.watching.link,
            self.diagnostic.as_ref(),
            close_code,
        ));
    }

    fn on_error(&mut self, error: &WsError) {
        self.ended = Some(match (&self.diagnostic, error) {
            (Some(diagnostic), _) => close::end(self.watching.link, Some(diagnostic), None),
            (None, WsError::Protocol(protocol)) if is_cut(protocol) => close::reset(),
            (None, WsError::Protocol(_) | WsError::Capacity(_) | WsError::Utf8(_)) => {
                close::garbled()
            }
            (None, _) => close::reset(),
        });
    }
}

/// A connection that ended without a goodbye, which is no breach of what was said before.
fn is_cut(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameStream")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
