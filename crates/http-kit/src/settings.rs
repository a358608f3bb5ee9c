//! How a server of the contract is served.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_protocol::Origin;

use crate::edge::{EdgeSettings, OriginGuard, SourceNames, TokenSet};
use crate::health::MetricsText;
use crate::observe::ObserveSettings;
use crate::openapi::RouteTable;
use crate::server::{Drain, ServeOptions};

/// How a server of the contract is served.
#[derive(Clone)]
pub struct HttpSettings {
    /// Which Hosts and Origins are let in.
    pub guard: OriginGuard,
    /// Who is let in.
    pub tokens: TokenSet,
    /// Renders the process's metrics for `/metrics`.
    pub metrics: MetricsText,
    /// The largest body of a request, in bytes. A Runtime takes it from its limits.
    pub max_body_bytes: u64,
    /// The most requests that are being answered at a time. A Runtime takes it from its limits.
    pub max_requests: usize,
    /// The most connections at a time.
    pub max_connections: usize,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// How long a peer may take none of what is written to it. One that takes any of it, however
    /// slowly, stays.
    pub write_timeout: Duration,
    /// How long the end of the server may take, from the signal on.
    pub drain_timeout: Duration,
    /// How often observers are pinged.
    pub ping_every: Duration,
    /// How long after a ping was written an observer may neither answer nor take any of what else
    /// waits to be written to it, before it is dropped.
    pub pong_timeout: Duration,
}

impl HttpSettings {
    /// The defaults of the contract, with no token: everyone whom the guard lets in may ask.
    #[must_use]
    pub fn new(guard: OriginGuard) -> Self {
        let ServeOptions {
            header_timeout,
            write_timeout,
            max_connections,
        } = ServeOptions::default();
        Self {
            guard,
            tokens: TokenSet::open(),
            metrics: Arc::new(String::new),
            max_body_bytes: 1_048_576,
            max_requests: 4_096,
            max_connections,
            header_timeout,
            body_timeout: Duration::from_secs(30),
            write_timeout,
            drain_timeout: Duration::from_secs(10),
            ping_every: ObserveSettings::PING_EVERY,
            pong_timeout: ObserveSettings::PONG_TIMEOUT,
        }
    }

    /// The part of the accept loop.
    #[must_use]
    pub fn serve_options(&self) -> ServeOptions {
        ServeOptions {
            header_timeout: self.header_timeout,
            write_timeout: self.write_timeout,
            max_connections: self.max_connections,
        }
    }

    /// The part of observers, in a server that `drain` leads to its end.
    #[must_use]
    pub fn observe(&self, drain: &Drain) -> ObserveSettings {
        let mut observe = ObserveSettings::new(drain.clone());
        observe.ping_every = self.ping_every;
        observe.pong_timeout = self.pong_timeout;
        observe
    }

    /// The part of the edge round `routes`, for whoever answers.
    #[must_use]
    pub fn edge(
        &self,
        me: Origin,
        source: Option<SourceNames>,
        routes: RouteTable,
    ) -> EdgeSettings {
        EdgeSettings {
            me,
            source,
            guard: self.guard.clone(),
            tokens: self.tokens.clone(),
            max_requests: self.max_requests,
            max_body_bytes: self.max_body_bytes,
            body_timeout: self.body_timeout,
            routes,
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
