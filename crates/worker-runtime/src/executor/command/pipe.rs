//! The three standard streams of a process.

use std::sync::Mutex;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;

use crate::executor::RunOutput;
use crate::executor::utf8::Utf8Pieces;

const CHUNK_BYTES: usize = 16 * 1024;
const TAIL_BYTES: usize = 8 * 1024;

/// Writes the content, then ends the file. A program that does not read it all is fine.
pub(super) async fn feed(mut stdin: ChildStdin, content: String) {
    let _ = stdin.write_all(content.as_bytes()).await;
    let _ = stdin.shutdown().await;
}

/// Streams what comes as text, until it ends or nobody listens.
pub(super) async fn stream(
    mut stdout: impl AsyncRead + Unpin,
    decoder: &Mutex<Utf8Pieces>,
    out: &RunOutput,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = match stdout.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        let text = lock(decoder).push(&chunk[..length]);
        if !text.is_empty() && out.text(text).await.is_err() {
            return;
        }
    }
}

/// Keeps the last part of what comes, until it ends.
pub(super) async fn gather(mut stderr: impl AsyncRead + Unpin, tail: &Mutex<Tail>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match stderr.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(length) => lock(tail).push(&chunk[..length]),
        }
    }
}

/// The last part of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Tail {
    fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        let excess = self.bytes.len().saturating_sub(TAIL_BYTES);
        if excess > 0 {
            self.bytes.drain(..excess);
            self.is_cut = true;
        }
    }

    /// The last of it as text, at most as many bytes; `None` when nothing came. A character that
    /// was cut in two is left out, and what is not UTF-8 is longer as text than it was.
    pub(super) fn text(&self) -> Option<String> {
        if self.bytes.is_empty() {
            return None;
        }
        let is_continuation = |byte: &&u8| (0x80..0xC0).contains(*byte);
        let partial = if self.is_cut {
            self.bytes
                .iter()
                .take(3)
                .take_while(is_continuation)
                .count()
        } else {
            0
        };
        let mut text = String::from_utf8_lossy(&self.bytes[partial..]).into_owned();
        let mut start = text.len().saturating_sub(TAIL_BYTES);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.drain(..start);
        Some(text)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
