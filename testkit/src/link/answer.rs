//! An answer as a Runtime gave it, whole, before something happens to it.

use std::io;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::head::{self, Head};

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    /// The body, out of its chunks; what a WebSocket has said already, after a 101.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer: as much as it announces, or all until the far end closes. Of a 101 the head,
    /// and what came along with it.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let (mut head, mut body) = head::read(stream)
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        if head.status() != Some(101) {
            match head.header("content-length").map(str::parse::<usize>) {
                // Who asked for an upgrade and is refused keeps the connection.
                Some(Ok(length)) => {
                    let come = body.len();
                    body.resize(length.max(come), 0);
                    stream.read_exact(&mut body[come..]).await?;
                }
                _ => {
                    stream.read_to_end(&mut body).await?;
                }
            }
            if head.header("transfer-encoding").is_some() {
                body = unchunked(&body).ok_or(io::ErrorKind::InvalidData)?;
                head.remove("transfer-encoding");
            }
        }
        Ok(Self { head, body })
    }

    /// An answer that no Runtime gave.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut head = Head::answer(status, reason.unwrap_or("Some Status"));
        head.set("content-type", content_type);
        head.set("connection", "close");
        let mut answer = Self {
            head,
            body: Vec::new(),
        };
        answer.say(body);
        answer
    }

    /// Whether the connection becomes a WebSocket with it.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.head.status() == Some(101)
    }

    /// Gives it another body.
    pub(crate) fn say(&mut self, body: impl Into<Vec<u8>>) {
        self.body = body.into();
        self.head.set("content-length", self.body.len().to_string());
    }

    /// Its head and its body, as they are sent.
    pub(crate) fn parts(&self) -> (Vec<u8>, Vec<u8>) {
        let mut head = self.head.clone();
        if !self.is_upgrade() {
            head.set("content-length", self.body.len().to_string());
        }
        (head.to_bytes(), self.body.clone())
    }

    /// All of it, as it is sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (mut head, body) = self.parts();
        head.extend_from_slice(&body);
        head
    }
}

/// A body out of its chunks; `None` for one that is cut off or garbled.
fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let line = std::str::from_utf8(&bytes[..end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let chunk = bytes.get(end + 2..)?;
        body.extend_from_slice(chunk.get(..length)?);
        bytes = chunk.get(length + 2..)?;
    }
}

/// A body in chunks of a byte each.
pub(crate) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = body
        .iter()
        .flat_map(|byte| [b'1', b'\r', b'\n', *byte, b'\r', b'\n'])
        .collect();
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Answer, chunked, unchunked};

    #[test]
    fn chunks_there_and_back() {
        assert_eq!(unchunked(&chunked(b"{\"a\":1}")).unwrap(), b"{\"a\":1}");
        assert_eq!(unchunked(b"5;x=y\r\nhello\r\n0\r\n\r\n").unwrap(), b"hello");
        for bytes in [
            &b"5\r\nhel"[..],
            b"five\r\nhello\r\n0\r\n\r\n",
            b"1\r\na\r\n",
        ] {
            assert!(unchunked(bytes).is_none(), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_in_chunks_is_read_whole() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        let answer = Answer::read(&mut bytes).await.unwrap();
        assert_eq!(
            answer.to_bytes(),
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"
        );
    }
}
