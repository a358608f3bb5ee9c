//! Where connections come from: a small seam, so that a test can put a simulated network in its
//! place.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Where connections come from.
pub trait Listener: Send {
    /// A connection.
    type Connection: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection, ready to be used; cancel-safe. A write to it that its peer does not
    /// take for `write_timeout` is given up above.
    ///
    /// # Errors
    /// What a listener can go on after: of one connection that did not come about, or of a
    /// process that has run out of something.
    fn accept(
        &mut self,
        write_timeout: Duration,
    ) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

/// The machine's own network.
impl Listener for TcpListener {
    type Connection = TcpStream;

    async fn accept(&mut self, write_timeout: Duration) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        prepare(&stream, write_timeout);
        Ok(stream)
    }
}

/// How many times the write timeout a peer may leave what it was sent unacknowledged. The kernel
/// counts a slow reader's full window as that, too, so this is to be long enough for one to come
/// round; who takes nothing at all is noticed by the write timeout itself.
const UNACKNOWLEDGED: u32 = 4;

/// Small frames do not wait for each other, and a peer that has vanished is noticed also where
/// nothing waits to be written. A socket that refuses either still serves.
fn prepare(stream: &TcpStream, write_timeout: Duration) {
    let _ = stream.set_nodelay(true);
    notice_vanished_peers(stream, write_timeout.saturating_mul(UNACKNOWLEDGED));
}

/// Without it the kernel goes on trying for a quarter of an hour, and a reader of a quiet event
/// stream that was cut off keeps its place for as long.
#[cfg(target_os = "linux")]
fn notice_vanished_peers(stream: &TcpStream, after: Duration) {
    let ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, ms);
}

#[cfg(not(target_os = "linux"))]
fn notice_vanished_peers(_: &TcpStream, _: Duration) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_socket_waits_longer_for_its_peer_than_a_write_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.unwrap();
        super::prepare(&stream, Duration::from_millis(1_234));
        assert!(stream.nodelay().unwrap());
        let waits = rustix::net::sockopt::tcp_user_timeout(&stream).unwrap();
        assert_eq!(waits, 4 * 1_234);
        drop(connected);
    }
}
