//! A way to a Runtime on which requests and answers are changed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yoi_client::transport::{Request, Response, Socket, TransportFault, Upgrade};
use yoi_client::{HttpTransport, Transport};

/// A whole answer, to be changed.
pub(crate) struct Altered {
    pub(crate) path: String,
    /// The credential that it was asked with.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) response: Response,
    pub(crate) body: Vec<u8>,
}

type OnRequest = dyn Fn(&mut Request) + Send + Sync;
type OnAnswer = dyn Fn(&mut Altered) + Send + Sync;

/// Changes what passes.
pub(crate) struct Tampered {
    inner: HttpTransport,
    request: Box<OnRequest>,
    answer: Box<OnAnswer>,
    /// Whether answers to this path are left alone, and come as they come.
    streams: fn(&str) -> bool,
    /// What the head of a 101 leaves out.
    opened_without: Option<&'static str>,
    /// What to put in place of what, in what a WebSocket sends.
    socket: Option<(&'static [u8], &'static [u8])>,
}

impl Tampered {
    fn new() -> Self {
        Self {
            inner: HttpTransport::plain(Duration::from_secs(5)).expect("plain HTTP needs nothing"),
            request: Box::new(|_| {}),
            answer: Box::new(|_| {}),
            streams: |_| false,
            opened_without: None,
            socket: None,
        }
    }

    pub(crate) fn requests(change: impl Fn(&mut Request) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            request: Box::new(change),
            ..Self::new()
        })
    }

    pub(crate) fn answers(change: impl Fn(&mut Altered) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(change),
            ..Self::new()
        })
    }

    /// Changes requests and answers, but no stream of events.
    pub(crate) fn both(
        request: impl Fn(&mut Request) + Send + Sync + 'static,
        answer: impl Fn(&mut Altered) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            request: Box::new(request),
            answer: Box::new(answer),
            streams: |path| path.ends_with("/events"),
            ..Self::new()
        })
    }

    pub(crate) fn opened_without(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            opened_without: Some(name),
            ..Self::new()
        })
    }

    pub(crate) fn sockets(from: &'static [u8], to: &'static [u8]) -> Arc<Self> {
        assert_eq!(from.len(), to.len());
        Arc::new(Self {
            socket: Some((from, to)),
            ..Self::new()
        })
    }
}

#[async_trait]
impl Transport for Tampered {
    async fn send(&self, mut request: Request) -> Result<Response, TransportFault> {
        (self.request)(&mut request);
        let path = request.uri.path().to_owned();
        let authorization = request.headers.get("authorization").cloned();
        let mut response = self.inner.send(request).await?;
        if (self.streams)(&path) {
            return Ok(response);
        }
        let mut body = Vec::new();
        while let Some(piece) = response.body.next().await {
            body.extend(piece?);
        }
        let mut altered = Altered {
            path,
            authorization,
            response,
            body,
        };
        (self.answer)(&mut altered);
        let Altered { response, body, .. } = altered;
        let whole = futures_util::stream::once(async move { Ok(body.into()) });
        Ok(Response {
            body: whole.boxed(),
            ..response
        })
    }

    async fn upgrade(&self, mut request: Request) -> Result<Upgrade, TransportFault> {
        (self.request)(&mut request);
        let mut upgraded = self.inner.upgrade(request).await?;
        if let (Some(name), Upgrade::Opened { headers, .. }) = (self.opened_without, &mut upgraded)
        {
            headers.remove(name);
        }
        let (Some((from, to)), Upgrade::Opened { .. }) = (self.socket, &upgraded) else {
            return Ok(upgraded);
        };
        match upgraded {
            Upgrade::Opened { headers, socket } => Ok(Upgrade::Opened {
                headers,
                socket: Socket::new(Replaced { socket, from, to }),
            }),
            refused @ Upgrade::Refused(_) => Ok(refused),
        }
    }
}

struct Replaced {
    socket: Socket,
    from: &'static [u8],
    to: &'static [u8],
}

impl AsyncRead for Replaced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        let (from, to) = (self.from, self.to);
        let came = &mut buffer.filled_mut()[before..];
        while let Some(at) = came.windows(from.len()).position(|piece| piece == from) {
            came[at..at + to.len()].copy_from_slice(to);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replaced {
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
