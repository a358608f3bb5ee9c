//! The head of a request or of an answer, as HTTP/1.1 writes it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use yoi_protocol::Operation;

/// More than any head of the contract. A longer one is refused rather than collected for ever.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// What ends a head.
const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// The head of one message: its first line and its headers, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// `GET /v1/runtime HTTP/1.1`, or `HTTP/1.1 200 OK`.
    pub(crate) start: String,
    headers: Vec<(String, String)>,
}

/// Reads a head, and what came with it of what follows.
///
/// Gives nothing when the peer ends the connection before its first byte.
///
/// # Errors
/// When the connection ends within the head, and `InvalidData` for what is no head: the first
/// bytes of a TLS handshake, say.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(Head, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = find(&bytes, BLANK_LINE) {
            let rest = bytes.split_off(end + BLANK_LINE.len());
            return Head::parse(&bytes).map(|head| Some((head, rest)));
        }
        // What begins with no letter is no HTTP, and may never have a blank line.
        if bytes
            .first()
            .is_some_and(|first| !first.is_ascii_alphabetic())
            || bytes.len() > MAX_HEAD_BYTES
        {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return match bytes.is_empty() {
                true => Ok(None),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
    }
}

impl Head {
    /// The head of an answer.
    pub(crate) fn answer(status: u16, reason: &str) -> Self {
        Self {
            start: format!("HTTP/1.1 {status} {reason}"),
            headers: Vec::new(),
        }
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut lines = text.trim_end().split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
                Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Result<_, io::ErrorKind>>()?;
        Ok(Self { start, headers })
    }

    /// The first value of a header; `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(header, value)| (header == name).then_some(value.as_str()))
    }

    /// Every header, its name in lower case.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Gives an answer another status.
    pub(crate) fn set_status(&mut self, status: u16, reason: &str) {
        self.start = Self::answer(status, reason).start;
    }

    /// Says a header once, whatever was said of it before.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Leaves a header out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }

    /// The method of a request.
    pub(crate) fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The path of a request, with its query.
    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    /// What a request to a Runtime asks for, where that is an operation on Workers.
    pub(crate) fn operation(&self) -> Option<Operation> {
        operation(self.method(), self.target())
    }

    /// How many bytes of body are announced.
    pub(crate) fn content_length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether a request asks for a WebSocket.
    pub(crate) fn wants_upgrade(&self) -> bool {
        self.header("upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }

    /// The head as it is sent, with the blank line.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// The operation behind a method and a path of the Runtime API.
pub(crate) fn operation(method: &str, target: &str) -> Option<Operation> {
    let path = target.split('?').next().unwrap_or_default();
    let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, steps.as_slice()) {
        ("GET", ["v1", "workers"]) => Some(Operation::ListWorkers),
        ("POST", ["v1", "workers"]) => Some(Operation::CreateWorker),
        ("GET", ["v1", "workers", _]) => Some(Operation::GetWorker),
        ("POST", ["v1", "workers", _, "input"]) => Some(Operation::SendInput),
        ("POST", ["v1", "workers", _, "cancel"]) => Some(Operation::Cancel),
        ("POST", ["v1", "workers", _, "stop"]) => Some(Operation::Stop),
        ("GET", ["v1", "workers", _, "transcript"]) => Some(Operation::Transcript),
        ("GET", ["v1", "workers", _, "events"] | ["v1", "workers", _, "events", "ws"]) => {
            Some(Operation::Events)
        }
        _ => None,
    }
}

/// Where `part` begins in `bytes`.
fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests;
