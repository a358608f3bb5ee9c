//! WebSocket messages as a server sends them: unmasked, so that they can be written by hand.
//!
//! A library would not fragment to the byte, stop in the middle of a frame, or announce what it
//! does not send.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What a message is (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

const FIN: u8 = 0x80;
/// More than any test sends in one message, in bytes.
const MAX_MESSAGE_BYTES: u64 = 256 << 20;

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    fn of(bits: u8) -> Option<Self> {
        [
            Self::Continuation,
            Self::Text,
            Self::Binary,
            Self::Close,
            Self::Ping,
            Self::Pong,
        ]
        .into_iter()
        .find(|opcode| opcode.bits() == bits)
    }

    const fn is_control(self) -> bool {
        self.bits() >= 8
    }
}

/// One message, whole, whatever fragments it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) opcode: Opcode,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        write(self.opcode, &self.payload)
    }
}

/// A message in one frame.
pub(crate) fn write(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = announce(opcode, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// A message in frames of one byte each.
pub(crate) fn write_in_pieces(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, byte) in payload.iter().enumerate() {
        let of = if at == 0 {
            opcode
        } else {
            Opcode::Continuation
        };
        let last = at + 1 == payload.len();
        bytes.extend_from_slice(&[of.bits() | if last { FIN } else { 0 }, 1, *byte]);
    }
    bytes
}

/// The beginning of a message in one frame: all but its content.
pub(crate) fn announce(opcode: Opcode, length: u64) -> Vec<u8> {
    let mut bytes = vec![FIN | opcode.bits()];
    match length {
        0..126 => bytes.push(length as u8),
        126..0x1_0000 => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes
}

/// Reads messages that a server sends.
#[derive(Debug)]
pub(crate) struct Messages {
    /// What was read and is no frame yet.
    bytes: Vec<u8>,
    /// A message of which more is to come.
    begun: Option<Message>,
}

struct Piece {
    last: bool,
    opcode: Opcode,
    payload: Vec<u8>,
}

impl Messages {
    /// Reads on after what was read already.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, begun: None }
    }

    /// The next message; `None` at the end of the connection. May be dropped and called again.
    ///
    /// # Errors
    /// When the connection breaks, or says what no server may.
    pub(crate) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Message>> {
        loop {
            while let Some(piece) = self.piece()? {
                if let Some(message) = self.join(piece) {
                    return Ok(Some(message));
                }
            }
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn join(&mut self, piece: Piece) -> Option<Message> {
        let Piece {
            last,
            opcode,
            payload,
        } = piece;
        // Control frames may stand between the fragments of another message.
        if opcode.is_control() {
            return Some(Message { opcode, payload });
        }
        let mut message = self.begun.take().unwrap_or(Message {
            opcode,
            payload: Vec::new(),
        });
        message.payload.extend_from_slice(&payload);
        if last {
            return Some(message);
        }
        self.begun = Some(message);
        None
    }

    /// Takes a frame off the front of what was read, if one is there.
    fn piece(&mut self) -> io::Result<Option<Piece>> {
        let [first, second, ..] = self.bytes[..] else {
            return Ok(None);
        };
        let opcode = Opcode::of(first & 0x0F).ok_or(io::ErrorKind::InvalidData)?;
        let wide = match second {
            0..126 => 0,
            126 => 2,
            127 => 8,
            // Servers do not mask.
            128.. => return Err(io::ErrorKind::InvalidData.into()),
        };
        let Some(extended) = self.bytes.get(2..2 + wide) else {
            return Ok(None);
        };
        let length = match wide {
            0 => u64::from(second),
            _ => extended
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if length > MAX_MESSAGE_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let begin = 2 + wide;
        let end = begin + length as usize;
        if self.bytes.len() < end {
            return Ok(None);
        }
        let rest = self.bytes.split_off(end);
        let frame = std::mem::replace(&mut self.bytes, rest);
        Ok(Some(Piece {
            last: first & FIN != 0,
            opcode,
            payload: frame[begin..].to_vec(),
        }))
    }
}

#[cfg(test)]
mod tests;
