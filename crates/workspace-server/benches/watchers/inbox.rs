//! What comes over a WebSocket, taken apart as cheaply as can be: whoever measures a server is not
//! to be what is measured.

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;

/// What a server said.
pub(crate) enum Said<'a> {
    Text(&'a [u8]),
    Ping,
    Close,
}

/// The bytes that came and are not understood yet.
#[derive(Default)]
pub(crate) struct Inbox {
    /// The beginning of a frame.
    rest: Vec<u8>,
    /// The fragments so far of a message.
    message: Vec<u8>,
}

/// One frame of a server: not masked.
struct Frame<'a> {
    is_last: bool,
    opcode: u8,
    payload: &'a [u8],
}

impl Inbox {
    /// Takes what came, and tells `hear` of all that is complete now.
    pub(crate) fn take(&mut self, came: &[u8], mut hear: impl FnMut(Said<'_>)) {
        if self.rest.is_empty() {
            let left = self.frames(came, &mut hear);
            self.rest.extend_from_slice(left);
            return;
        }
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(came);
        let left = self.frames(&all, &mut hear).len();
        all.drain(..all.len() - left);
        self.rest = all;
    }

    /// Takes frame by frame, and gives back what is left.
    fn frames<'a>(&mut self, mut bytes: &'a [u8], hear: &mut impl FnMut(Said<'_>)) -> &'a [u8] {
        while let Some((frame, left)) = Frame::first_of(bytes) {
            bytes = left;
            match frame.opcode {
                TEXT if frame.is_last => hear(Said::Text(frame.payload)),
                TEXT | CONTINUATION => {
                    self.message.extend_from_slice(frame.payload);
                    if frame.is_last {
                        hear(Said::Text(&self.message));
                        self.message.clear();
                    }
                }
                PING => hear(Said::Ping),
                CLOSE => hear(Said::Close),
                other => panic!("a server does not say {other}"),
            }
        }
        bytes
    }
}

impl<'a> Frame<'a> {
    /// The frame at the start, if it is there whole, and what comes after it.
    fn first_of(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(2)?;
        let (length, rest) = match head[1] {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(length).unwrap())?;
        let frame = Self {
            is_last: head[0] & 0x80 != 0,
            opcode: head[0] & 0x0f,
            payload,
        };
        Some((frame, rest))
    }
}
