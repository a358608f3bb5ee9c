//! A TCP peer that says what an HTTP library could not be made to say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What the peer does once it has read a request.
#[derive(Clone)]
pub(crate) enum Then {
    /// Says this and closes in good order.
    Say(Vec<u8>),
    /// Says this and resets the connection.
    SayAndReset(Vec<u8>),
    /// Says this and nothing more, for ever.
    SayAndHang(Vec<u8>),
}

/// Listens, reads one request a connection, and does what it was told for that request.
pub(crate) struct Peer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Peer {
    /// Does `script[n]` with the n-th request, and the last with all that follow.
    pub(crate) async fn start(script: Vec<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, script) = (Arc::clone(&seen), script.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &seen, &script).await;
                });
            }
        });
        Self {
            address,
            requests,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request as it came, whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    script: &[Then],
) -> std::io::Result<()> {
    let request = read_request(&mut stream).await?;
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.push(request);
        (seen.len() - 1).min(script.len() - 1)
    };
    match &script[turn] {
        Then::Say(text) => {
            stream.write_all(text).await?;
            stream.shutdown().await
        }
        Then::SayAndReset(text) => {
            stream.write_all(text).await?;
            stream.set_zero_linger()?;
            Ok(())
        }
        Then::SayAndHang(text) => {
            stream.write_all(text).await?;
            std::future::pending().await
        }
    }
}

/// Reads a head and, by its `content-length`, the body.
pub(crate) async fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut text = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.extend_from_slice(&piece[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if body.len() >= length {
                return Ok(so_far);
            }
        }
    }
}

/// An answer, whole.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The header by which [`RUNTIME`](crate::support::RUNTIME) answers.
pub(crate) const NAMED: &str = "yoi-runtime-id: gpu-1\r\n";

/// A port where nobody listens.
pub(crate) async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// A port where connecting never ends: its queue is full and nobody takes from it.
pub(crate) struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<JoinHandle<()>>,
}

impl BlackHole {
    pub(crate) async fn open() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        loop {
            let attempt = TcpStream::connect(address);
            match tokio::time::timeout(std::time::Duration::from_millis(200), attempt).await {
                Ok(stream) => {
                    let stream = stream.unwrap();
                    queued.push(tokio::spawn(async move {
                        let _held = stream;
                        std::future::pending::<()>().await;
                    }));
                }
                Err(_elapsed) => break,
            }
        }
        Self {
            address,
            _listener: listener,
            _queued: queued,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
