//! The way to a server: a small seam, so that a test can put a simulated network in its place.
//!
//! A transport carries one request there and one answer back. It tries nothing twice, follows no
//! redirect, reads no body ahead and judges nothing: what came back is classified above it.

mod fault;
mod http_transport;
mod progress;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

pub use http_transport::HttpTransport;

/// One way to reach servers.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request, and waits for the head of its answer.
    ///
    /// # Errors
    /// [`TransportFault`], told as precisely as the way allows: a fault that is said to have
    /// happened before anything was sent makes the caller send a command again.
    async fn send(&self, request: Request) -> Result<Response, TransportFault>;

    /// Sends a request that asks for an upgrade, and waits for the head of its answer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault>;
}

/// One request, whole.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The full address.
    pub uri: Uri,
    /// All headers but those that frame the body; `authorization` is marked as sensitive.
    pub headers: HeaderMap,
    /// The body; `None` sends none.
    pub body: Option<Bytes>,
    /// The head of the answer must be there by then.
    pub head_by: Instant,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// The head of an answer, and its body still to be read.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it comes. Ends with a fault when the connection does before the body is whole.
    pub body: BoxStream<'static, Result<Bytes, TransportFault>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What becomes of a request for an upgrade.
#[derive(Debug)]
pub enum Upgrade {
    /// 101: the connection belongs to the two ends.
    Opened {
        /// The headers of the 101.
        headers: HeaderMap,
        /// The connection.
        socket: Socket,
    },
    /// Any other answer.
    Refused(Response),
}

/// A connection, both ways.
pub struct Socket(Box<dyn Duplex>);

impl Socket {
    /// Takes a connection.
    pub fn new(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Box::new(io))
    }

    pub(crate) fn into_inner(self) -> Box<dyn Duplex> {
        self.0
    }
}

/// For who speaks on it without this crate's event stream: a proxy, or a check of the wire.
impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket(..)")
    }
}

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What went wrong on the way, without a text that could tell where the way leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TransportFault {
    /// The server's name does not resolve. Nothing was sent.
    #[error("the name does not resolve")]
    Dns,
    /// Nothing takes the connection. Nothing was sent.
    #[error("the connection is refused")]
    Refused,
    /// The TLS handshake failed. Nothing was sent.
    #[error("the TLS handshake failed")]
    Tls,
    /// The connection did not stand in time. Nothing was sent.
    #[error("connecting took too long")]
    ConnectTimedOut,
    /// The head of the answer did not come in time. The request may have arrived.
    #[error("no answer in time")]
    HeadTimedOut,
    /// The connection ended before the answer was whole. The request may have arrived.
    #[error("the connection was reset")]
    Reset,
    /// What came back is not HTTP. The request may have arrived.
    #[error("the answer is not HTTP")]
    NotHttp,
}
