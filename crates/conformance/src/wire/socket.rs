//! A WebSocket as RFC 6455 has it, small: enough to see every byte that a Runtime sends, and to
//! say what an observer may not.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use yoi_client::transport::Socket;

use crate::unmet::{Unmet, broken, late};

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Text(String),
    Binary,
    Pong(Vec<u8>),
    /// The close code, if there was one.
    Close(Option<u16>),
    /// The connection ended without a close.
    Cut,
}

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
const PONG: u8 = 10;
const LAST: u8 = 0x80;
/// Whatever it is, it only has to be there.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The largest frame that is read.
const LARGEST: usize = 64 << 20;

/// The client's end of a WebSocket.
pub(super) struct WebSocket {
    io: Socket,
    patience: Duration,
    unread: BytesMut,
    /// The message that came in part: what it is, and what there is of it.
    part: Option<(u8, Vec<u8>)>,
}

impl WebSocket {
    pub(super) fn new(io: Socket, patience: Duration) -> Self {
        Self {
            io,
            patience,
            unread: BytesMut::new(),
            part: None,
        }
    }

    /// Says a short message.
    pub(super) async fn say(&mut self, what: u8, payload: &[u8]) -> Result<(), Unmet> {
        let length = u8::try_from(payload.len()).expect("a check says little");
        assert!(length < 126, "a check says little");
        let mut frame = vec![LAST | what, 0x80 | length];
        frame.extend(MASK);
        frame.extend(
            payload
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        let said = async {
            self.io.write_all(&frame).await?;
            self.io.flush().await
        };
        match timeout(self.patience, said).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(broken("the WebSocket takes nothing")),
        }
    }

    /// The next message. Pings are answered and not shown.
    pub(super) async fn next(&mut self) -> Result<Message, Unmet> {
        loop {
            let Some((what, is_last, payload)) = self.frame().await? else {
                return Ok(Message::Cut);
            };
            match what {
                PING => {
                    let same = payload.get(..125).unwrap_or(&payload);
                    self.say(PONG, same).await?;
                }
                PONG => return Ok(Message::Pong(payload)),
                CLOSE => {
                    let code = payload.first_chunk().map(|two| u16::from_be_bytes(*two));
                    // It is only good manners: the connection may be gone already.
                    let _ = self.say(CLOSE, payload.get(..2).unwrap_or(&[])).await;
                    return Ok(Message::Close(code));
                }
                0 | TEXT | BINARY => {
                    if let Some(message) = self.data(what, is_last, payload)? {
                        return Ok(message);
                    }
                }
                other => return Err(broken(format!("a WebSocket frame of opcode {other}"))),
            }
        }
    }

    /// Adds a piece of a message; the message when it is whole.
    fn data(
        &mut self,
        what: u8,
        is_last: bool,
        payload: Vec<u8>,
    ) -> Result<Option<Message>, Unmet> {
        let (kind, mut whole) = match (self.part.take(), what) {
            (None, TEXT | BINARY) => (what, Vec::new()),
            (Some(part), 0) => part,
            (Some(_), _) => return Err(broken("a message began within another")),
            (None, _) => return Err(broken("a message went on that had not begun")),
        };
        whole.extend(payload);
        if !is_last {
            self.part = Some((kind, whole));
            return Ok(None);
        }
        if kind == BINARY {
            return Ok(Some(Message::Binary));
        }
        String::from_utf8(whole)
            .map(|text| Some(Message::Text(text)))
            .map_err(|_| broken("a text message is not UTF-8"))
    }

    /// One frame: opcode, whether it is the last of its message, payload. `None` at the end.
    async fn frame(&mut self) -> Result<Option<(u8, bool, Vec<u8>)>, Unmet> {
        loop {
            if let Some(frame) = parse(&mut self.unread)? {
                return Ok(Some(frame));
            }
            let read = timeout(self.patience, self.io.read_buf(&mut self.unread)).await;
            match read {
                Ok(Ok(0) | Err(_)) => return Ok(None),
                Ok(Ok(_)) => {}
                Err(_elapsed) => {
                    let patience = self.patience;
                    return Err(late(format!("the WebSocket is silent for {patience:?}")));
                }
            }
        }
    }
}

/// Takes one frame off the front, if it is whole.
fn parse(unread: &mut BytesMut) -> Result<Option<(u8, bool, Vec<u8>)>, Unmet> {
    let [first, second, ..] = unread[..] else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(broken(
            "a WebSocket frame uses an extension that nobody asked for",
        ));
    }
    if second & 0x80 != 0 {
        return Err(broken("a WebSocket frame of a server is masked"));
    }
    let (length, head) = match second {
        126 => match unread.get(2..4).and_then(<[u8]>::first_chunk) {
            Some(two) => (u64::from(u16::from_be_bytes(*two)), 4),
            None => return Ok(None),
        },
        127 => match unread.get(2..10).and_then(<[u8]>::first_chunk) {
            Some(eight) => (u64::from_be_bytes(*eight), 10),
            None => return Ok(None),
        },
        short => (u64::from(short), 2),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(broken(format!("a WebSocket frame of {length} bytes")));
    }
    if unread.len() < head + length {
        return Ok(None);
    }
    let frame = unread.split_to(head + length);
    Ok(Some((
        first & 0x0f,
        first & LAST != 0,
        frame[head..].to_vec(),
    )))
}

#[cfg(test)]
mod tests;
