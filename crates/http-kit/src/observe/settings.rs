//! How observers are served.

use std::time::Duration;

use yoi_protocol::{DiagnosticFrame, Frame, StreamEnd, Subject};

use crate::server::Drain;

/// How observers are served, by one server alike.
#[derive(Debug, Clone)]
pub struct ObserveSettings {
    /// How often the server pings, and how often a silent event stream gets a comment.
    pub ping_every: Duration,
    /// How long after a ping was written a peer may neither answer nor take any of what else waits
    /// to be written to it, before it is dropped.
    pub pong_timeout: Duration,
    /// Whether the server's own frames name the Runtime: those of a Backend do.
    pub name_runtime: bool,
    /// The end of the server.
    pub drain: Drain,
}

impl ObserveSettings {
    pub(crate) const PING_EVERY: Duration = Duration::from_secs(20);
    pub(crate) const PONG_TIMEOUT: Duration = Duration::from_secs(20);

    /// A ping every 20 seconds, and 20 seconds for the answer.
    #[must_use]
    pub fn new(drain: Drain) -> Self {
        Self {
            ping_every: Self::PING_EVERY,
            pong_timeout: Self::PONG_TIMEOUT,
            name_runtime: false,
            drain,
        }
    }

    /// The same, with the Runtime named in every frame.
    #[must_use]
    pub fn naming_the_runtime(mut self) -> Self {
        self.name_runtime = true;
        self
    }

    /// The last frame of a stream, `None` for one that is complete.
    pub(super) fn last_words(&self, end: &StreamEnd, about: &Subject) -> Option<String> {
        let diagnostic = end.diagnostic(about)?;
        let runtime_id = about.runtime_id.clone().filter(|_| self.name_runtime);
        serde_json::to_string(&Frame::Diagnostic(DiagnosticFrame {
            runtime_id,
            diagnostic,
        }))
        .ok()
    }
}
