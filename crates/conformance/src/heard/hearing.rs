//! One answer as it comes, judged when it is over.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yoi_client::transport::Socket;
use yoi_protocol::Problem;

use super::{Heard, Rule};

/// The most that is kept of one answer, in bytes.
const MOST: usize = 8 << 20;

/// What one answer says, from its head until it is dropped.
pub(super) struct Hearing {
    heard: Arc<Heard>,
    asked: String,
    secrets: Vec<String>,
    is_json: bool,
    is_problem: bool,
    said: Vec<u8>,
}

impl Hearing {
    pub(super) fn new(heard: Arc<Heard>, asked: String, secrets: Vec<String>) -> Self {
        Self {
            heard,
            asked,
            secrets,
            is_json: false,
            is_problem: false,
            said: Vec::new(),
        }
    }

    /// Looks at what the body says that it is.
    pub(super) fn of(&mut self, headers: &HeaderMap) {
        let media = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media = media
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        self.is_problem = media == Problem::CONTENT_TYPE;
        // What describes the API may say null of it.
        self.is_json = media == "application/json" && !self.asked.contains("/openapi.json");
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        let room = MOST.saturating_sub(self.said.len());
        self.said.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn judge(&self) {
        let text = String::from_utf8_lossy(&self.said);
        self.without_secrets(&text);
        if !self.is_json && !self.is_problem {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            // That it is JSON is for who asked.
            return;
        };
        // Once more as it is read: JSON can write any character in another way.
        texts(&value, &mut |text| self.without_secrets(text));
        if let Some(at) = null(&value, String::new()) {
            let detail = format!("{}: {at} is null, and not left out", self.asked);
            self.heard.breach(Rule::LeavesOutWhatIsAbsent, detail);
        }
        if self.is_problem {
            for field in ["title", "detail"] {
                let text = value[field].as_str().unwrap_or_default();
                if text.contains(char::is_control) {
                    let detail = format!("{}: {field} is {text:?}", self.asked);
                    self.heard.breach(Rule::IsPlainText, detail);
                }
            }
        }
    }

    fn without_secrets(&self, text: &str) {
        if self.secrets.iter().any(|secret| text.contains(secret)) {
            let detail = format!("{}: what is answered shows the credential", self.asked);
            self.heard.breach(Rule::ShowsNoCredential, detail);
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.judge();
    }
}

/// Every text in a value, names of fields included.
fn texts(value: &Value, tell: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, tell)),
        Value::Object(fields) => {
            for (name, field) in fields {
                tell(name);
                texts(field, tell);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where a value has a null, as a JSON pointer. An intent is the caller's, who may have put one in.
fn null(value: &Value, at: String) -> Option<String> {
    match value {
        Value::Null => Some(at),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| null(item, format!("{at}/{index}")))
        }
        Value::Object(fields) => {
            let mut fields = fields.iter().filter(|(name, _)| *name != "intent");
            fields.find_map(|(name, field)| null(field, format!("{at}/{name}")))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A connection on which what comes is overheard.
pub(super) struct Overheard {
    pub(super) socket: Socket,
    pub(super) hearing: Hearing,
}

impl AsyncRead for Overheard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        self.hearing.take(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Overheard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
