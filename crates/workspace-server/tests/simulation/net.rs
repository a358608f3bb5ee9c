//! The simulated network, as servers and clients have it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyStream, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};
use turmoil::net::{TcpListener, TcpStream};
use yoi_client::transport::{Request, Response, Socket, Transport, TransportFault, Upgrade};
use yoi_workspace_server::Listener;

/// The port of every server.
pub(crate) const PORT: u16 = 80;

/// How many connections a machine has.
pub(crate) type Open = Arc<AtomicUsize>;

/// A server's listener.
pub(crate) struct Listening {
    listener: TcpListener,
    open: Open,
}

impl Listening {
    pub(crate) async fn bind(open: &Open) -> Self {
        Self {
            listener: TcpListener::bind(("0.0.0.0", PORT)).await.unwrap(),
            open: Arc::clone(open),
        }
    }
}

impl Listener for Listening {
    type Connection = Connection;

    async fn accept(&mut self, _: Duration) -> io::Result<Connection> {
        let (stream, _) = self.listener.accept().await?;
        Ok(Connection::new(stream, &self.open, None))
    }
}

/// What nobody may hear who has no business with it.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) texts: Vec<String>,
    pub(crate) heard: Mutex<Vec<String>>,
}

/// A client's way: a connection for each request.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// How long a connection may take to stand.
    pub(crate) connect: Duration,
    /// What must not be heard on it.
    pub(crate) secrets: Option<Arc<Secrets>>,
    pub(crate) open: Open,
}

impl Simulated {
    async fn exchange(
        &self,
        request: Request,
    ) -> Result<hyper::Response<Incoming>, TransportFault> {
        let host = request.uri.host().ok_or(TransportFault::Dns)?.to_owned();
        let connected_by = request.head_by.min(Instant::now() + self.connect);
        let connecting = TcpStream::connect((host.clone(), PORT));
        let stream = timeout_at(connected_by, connecting)
            .await
            .map_err(|_| TransportFault::ConnectTimedOut)?
            .map_err(|_| TransportFault::Refused)?;
        let stream = Connection::new(stream, &self.open, self.secrets.clone());
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|_| TransportFault::Reset)?;
        tokio::spawn(connection.with_upgrades());
        let path = request
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let mut outgoing = hyper::Request::new(Full::new(request.body.unwrap_or_default()));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = path.parse().map_err(|_| TransportFault::Dns)?;
        *outgoing.headers_mut() = request.headers;
        let host = host.parse().map_err(|_| TransportFault::Dns)?;
        outgoing.headers_mut().insert(http::header::HOST, host);
        timeout_at(request.head_by, sender.send_request(outgoing))
            .await
            .map_err(|_| TransportFault::HeadTimedOut)?
            .map_err(|error| fault(&error))
    }
}

fn fault(error: &hyper::Error) -> TransportFault {
    if error.is_parse() {
        TransportFault::NotHttp
    } else {
        TransportFault::Reset
    }
}

fn response(response: hyper::Response<Incoming>) -> Response {
    let (head, body) = response.into_parts();
    let body = BodyStream::new(body).map(|frame| match frame {
        Ok(frame) => Ok(frame.into_data().unwrap_or_else(|_| Bytes::new())),
        Err(error) => Err(fault(&error)),
    });
    Response {
        status: head.status,
        headers: head.headers,
        body: Box::pin(body),
    }
}

#[async_trait]
impl Transport for Simulated {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        self.exchange(request).await.map(response)
    }

    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault> {
        let answer = self.exchange(request).await?;
        if answer.status() != http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Refused(response(answer)));
        }
        let headers = answer.headers().clone();
        let upgraded = hyper::upgrade::on(answer).await;
        Ok(Upgrade::Opened {
            headers,
            socket: Socket::new(TokioIo::new(upgraded.map_err(|_| TransportFault::Reset)?)),
        })
    }
}

/// A connection that is counted, and on which somebody listens for what must not be said.
pub(crate) struct Connection {
    stream: TcpStream,
    open: Open,
    secrets: Option<Arc<Secrets>>,
    heard: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream, open: &Open, secrets: Option<Arc<Secrets>>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self {
            stream,
            open: Arc::clone(open),
            secrets,
            heard: Vec::new(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        let Some(secrets) = &self.secrets else { return };
        for text in &secrets.texts {
            let mut windows = self.heard.windows(text.len());
            if windows.any(|window| window == text.as_bytes()) {
                secrets.heard.lock().unwrap().push(text.clone());
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.secrets.is_some() {
            self.heard.extend_from_slice(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
