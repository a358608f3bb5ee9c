//! Text messages out on a WebSocket, in fragments.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{Sink, SinkExt};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::upgrade::Socket;

/// The longest fragment, in bytes. A socket's buffer grows to the longest that it ever wrote, and
/// keeps that size: whole, one long snapshot would go on costing its length for every observer.
const FRAGMENT_BYTES: usize = 4 * 1024;

/// The sending half of a socket.
///
/// A call that is dropped leaves what it has not sent, and the next call sends that first: other
/// messages must not come between the fragments of one.
pub(super) struct Outlet {
    sink: SplitSink<Socket, Message>,
    rest: Option<Rest>,
}

/// What is left of a message.
struct Rest {
    text: Bytes,
    has_begun: bool,
}

impl Outlet {
    pub(super) fn new(sink: SplitSink<Socket, Message>) -> Self {
        Self { sink, rest: None }
    }

    /// Sends a text message, perhaps not flushed. `text` is UTF-8.
    pub(super) async fn text(&mut self, text: Bytes) -> Result<(), Error> {
        self.finish().await?;
        self.rest = Some(Rest {
            text,
            has_begun: false,
        });
        self.finish().await
    }

    /// Sends a ping or a close, and flushes.
    pub(super) async fn control(&mut self, message: Message) -> Result<(), Error> {
        self.finish().await?;
        self.sink.send(message).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.sink.flush().await
    }

    /// Sends what is left of a message.
    async fn finish(&mut self) -> Result<(), Error> {
        while self.rest.is_some() {
            poll_fn(|cx| Pin::new(&mut self.sink).poll_ready(cx)).await?;
            if let Some(frame) = self.next_fragment() {
                Pin::new(&mut self.sink).start_send(Message::Frame(frame))?;
            }
        }
        Ok(())
    }

    fn next_fragment(&mut self) -> Option<Frame> {
        let mut rest = self.rest.take()?;
        let kind = if rest.has_begun {
            Data::Continue
        } else {
            Data::Text
        };
        let piece = rest.text.split_to(rest.text.len().min(FRAGMENT_BYTES));
        let is_last = rest.text.is_empty();
        if !is_last {
            rest.has_begun = true;
            self.rest = Some(rest);
        }
        Some(Frame::message(piece, OpCode::Data(kind), is_last))
    }
}
