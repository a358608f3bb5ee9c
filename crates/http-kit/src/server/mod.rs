//! Takes connections and serves a router on them, within bounds and with an orderly end.

mod connection;
mod drain;
mod listener;
#[cfg_attr(not(feature = "ws"), allow(dead_code, reason = "only who pings asks"))]
mod progress;
mod serve;
mod until;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

pub use drain::Drain;
pub use listener::Listener;
#[cfg(feature = "ws")]
pub(crate) use progress::Progress;
pub use until::serve_until;

/// What a [`Server`] bounds.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// How long the head of a request may take, also the first of a silent connection and the
    /// next of an idle one.
    pub header_timeout: Duration,
    /// How long a peer may take none of what is written to it. One that takes any of it, however
    /// slowly, stays.
    pub write_timeout: Duration,
    /// The most connections at a time, upgraded ones among them.
    pub max_connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            max_connections: 32_768,
        }
    }
}

/// A bound listener: of the machine's own network, or another.
#[derive(Debug)]
pub struct Server<L = TcpListener> {
    listener: L,
}

impl Server {
    /// Binds `address`.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::from_listener)
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl<L: Listener> Server<L> {
    /// Takes over a listener.
    #[must_use]
    pub fn from_listener(listener: L) -> Self {
        Self { listener }
    }

    /// Serves `router` until [`Drain::close`], and returns when the last connection has ended.
    ///
    /// From `close` on no connection is taken and idle ones end. Requests under way are answered
    /// and observations end themselves, until the deadline that `close` was given: a little before
    /// it observations are ended, and at it every socket that is left is cut, upgraded ones too.
    pub async fn serve(self, router: Router, options: ServeOptions, drain: Drain) {
        serve::serve(self.listener, router, options, drain).await;
    }
}
