//! Serves on a real socket, and speaks to it byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use yoi_http_kit::{Drain, ServeOptions, Server};

/// The longest that a test waits for anything.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

/// A server that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) drain: Drain,
    serving: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(router: Router, options: ServeOptions) -> Self {
        Self::draining(router, options, Drain::new()).await
    }

    pub(crate) async fn draining(router: Router, options: ServeOptions, drain: Drain) -> Self {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.local_addr().unwrap();
        let serving = tokio::spawn(server.serve(router, options, drain.clone()));
        Self {
            address,
            drain,
            serving,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Whether it takes one more connection.
    pub(crate) async fn try_connect(&self) -> bool {
        TcpStream::connect(self.address).await.is_ok()
    }

    /// A connection on which `text` was sent.
    pub(crate) async fn say(&self, text: &str) -> TcpStream {
        let mut socket = self.connect().await;
        socket.write_all(text.as_bytes()).await.unwrap();
        socket
    }

    /// Waits for the server to be done.
    pub(crate) async fn ended(self) {
        timeout(WAIT, self.serving)
            .await
            .expect("the server should have ended")
            .unwrap();
    }

    /// Closes, with a deadline in `left`.
    pub(crate) fn close_within(&self, left: Duration) {
        self.drain.close(Instant::now() + left);
    }
}

/// Everything that still comes on a socket, until it is closed or reset.
pub(crate) async fn read_all(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = async {
        let mut buffer = [0; 4096];
        loop {
            match socket.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(n) => read.extend_from_slice(&buffer[..n]),
            }
        }
    };
    let closed = timeout(WAIT, reading).await;
    let text = String::from_utf8_lossy(&read).into_owned();
    assert!(closed.is_ok(), "still open after {WAIT:?}, said {text:?}");
    text
}

/// Reads until `end` has come; gives all that came.
pub(crate) async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let deadline = Instant::now() + WAIT;
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if text.contains(end) {
            return text;
        }
        let mut buffer = [0; 4096];
        let n = tokio::time::timeout_at(deadline, socket.read(&mut buffer))
            .await
            .unwrap_or_else(|_| panic!("waited for {end:?}, got {text:?}"))
            .unwrap();
        assert!(n > 0, "closed before {end:?}, got {text:?}");
        read.extend_from_slice(&buffer[..n]);
    }
}

/// The metrics of this test alone: its runtime has one thread, and the recorder is that thread's.
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    _recorder: metrics::LocalRecorderGuard<'static>,
}

pub(crate) fn metrics_here() -> Metrics {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    Metrics {
        handle: recorder.handle(),
        _recorder: metrics::set_default_local_recorder(recorder),
    }
}

impl Metrics {
    pub(crate) fn text(&self) -> String {
        self.handle.render()
    }

    /// Waits until the metrics say `line`.
    pub(crate) async fn say(&self, line: &str) {
        let deadline = Instant::now() + WAIT;
        while !self.text().contains(line) {
            assert!(
                Instant::now() < deadline,
                "waited for {line:?} in\n{}",
                self.text()
            );
            tokio::task::yield_now().await;
        }
    }
}
