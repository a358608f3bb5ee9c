//! The opaque texts that a Runtime hands out: cursors and page tokens.
//!
//! Both are base64url over a version, what they stand for, and a checksum, so that a truncated or
//! invented text is told from a genuine one that leads nowhere any more. They grant nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use yoi_protocol::{Cursor, PageToken, WorkerId};

const CURSOR: u8 = 1;
const PAGE: u8 = 2;
const CHECKSUM_BYTES: usize = 8;

/// A position in one life of a Worker's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) life: Uuid,
    pub(crate) seq: u64,
}

impl Position {
    pub(crate) fn to_cursor(self) -> Cursor {
        let mut body = Vec::with_capacity(24);
        body.extend_from_slice(self.life.as_bytes());
        body.extend_from_slice(&self.seq.to_be_bytes());
        Cursor::parse(&seal(CURSOR, &body)).expect("base64url of 33 bytes is a valid cursor")
    }

    /// `None` for a text that no Runtime could have made.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body: [u8; 24] = open(CURSOR, text)?.try_into().ok()?;
        let (life, seq) = body.split_at(16);
        let life = Uuid::from_slice(life).ok()?;
        let seq = u64::from_be_bytes(seq.try_into().ok()?);
        (seq > 0).then_some(Self { life, seq })
    }
}

/// The token of the page that follows `last`.
pub(crate) fn page_after(last: &WorkerId) -> PageToken {
    PageToken::parse(&seal(PAGE, last.as_str().as_bytes()))
        .expect("base64url of at most 73 bytes is a valid page token")
}

/// Where the page starts; `None` for a token that no Runtime could have made.
pub(crate) fn parse_page(token: &PageToken) -> Option<WorkerId> {
    let body = open(PAGE, token.as_str())?;
    WorkerId::parse(std::str::from_utf8(&body).ok()?).ok()
}

fn seal(version: u8, body: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(1 + body.len() + CHECKSUM_BYTES);
    bytes.push(version);
    bytes.extend_from_slice(body);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(version: u8, text: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let signed = bytes.len().checked_sub(CHECKSUM_BYTES)?;
    let sum = bytes.split_off(signed);
    if sum != checksum(&bytes) || bytes.first() != Some(&version) {
        return None;
    }
    bytes.remove(0);
    Some(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut short = [0; CHECKSUM_BYTES];
    short.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    short
}

#[cfg(test)]
mod tests;
