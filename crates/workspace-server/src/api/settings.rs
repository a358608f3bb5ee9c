//! How a Backend is served.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_http_kit::health::MetricsText;
use yoi_http_kit::{OriginGuard, TokenSet};

/// How a Backend is served.
#[derive(Clone)]
pub struct HttpSettings {
    /// Which Hosts and Origins are let in. Build it with `Browsers::Allowed`.
    pub guard: OriginGuard,
    /// Who is let in.
    pub tokens: TokenSet,
    /// Renders the process's metrics for `/metrics`.
    pub metrics: MetricsText,
    /// The largest body of a request, in bytes.
    pub max_body_bytes: u64,
    /// The most requests that are being answered at a time.
    pub max_requests: usize,
    /// The most connections at a time.
    pub max_connections: usize,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// How long a peer may take none of what is written to it.
    pub write_timeout: Duration,
    /// How long the end of the server may take, from the signal on.
    pub drain_timeout: Duration,
    /// How often observers are pinged.
    pub ping_every: Duration,
    /// How long after a ping an observer may stay silent before it is dropped.
    pub pong_timeout: Duration,
}

impl HttpSettings {
    /// The defaults of the contract, with no token: everyone whom the guard lets in may ask.
    #[must_use]
    pub fn new(guard: OriginGuard) -> Self {
        Self {
            guard,
            tokens: TokenSet::open(),
            metrics: Arc::new(String::new),
            max_body_bytes: 1_048_576,
            max_requests: 4_096,
            max_connections: 32_768,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            pong_timeout: Duration::from_secs(20),
        }
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("tokens", &self.tokens)
            .field("max_requests", &self.max_requests)
            .field("max_connections", &self.max_connections)
            .field("drain_timeout", &self.drain_timeout)
            .finish_non_exhaustive()
    }
}
