//! Where a Backend is sent that is not to reach the Runtime.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::engine;

/// Another place than the Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// A name that does not resolve.
    Nowhere,
    /// A port at which nobody listens.
    ClosedPort,
    /// The right port, with TLS, which nobody speaks there.
    Plain,
    /// A port whose queue of connections is full.
    FullQueue,
}

impl Elsewhere {
    /// The scheme and the authority of this place, for a Runtime at `address`.
    pub(crate) async fn authority(self, address: SocketAddr) -> (&'static str, String) {
        match self {
            Self::Nowhere => ("http", format!("{}:{}", unresolvable(), address.port())),
            Self::ClosedPort => ("http", closed_port().to_string()),
            Self::Plain => ("https", address.to_string()),
            Self::FullQueue => ("http", full_queue().await.to_string()),
        }
    }
}

/// A name that no resolver is asked for: one step of it is longer than DNS has room for. So this
/// takes no time, and needs no network that says no.
fn unresolvable() -> String {
    format!("{}.invalid", "n".repeat(64))
}

/// A port that is taken, so that nobody else listens there, and at which nobody listens.
fn closed_port() -> SocketAddr {
    static TAKEN: OnceLock<(TcpSocket, SocketAddr)> = OnceLock::new();
    let (_socket, address) = TAKEN.get_or_init(|| {
        let socket = bound();
        let address = socket.local_addr().expect("a bound socket has an address");
        (socket, address)
    });
    *address
}

/// A port where connecting never ends.
struct FullQueue {
    address: SocketAddr,
    _listener: TcpListener,
    _held: Vec<TcpStream>,
}

/// More than the shortest queue of any system holds.
const CROWD: usize = 16;
/// Longer than a connection to this machine takes that finds room in the queue.
const PROBE: Duration = Duration::from_millis(100);

async fn full_queue() -> SocketAddr {
    static FULL: OnceCell<FullQueue> = OnceCell::const_new();
    let full = FULL.get_or_init(|| {
        engine::run(async {
            let listener = bound().listen(1).expect("a bound socket can listen");
            let address = listener.local_addr().expect("a listener has an address");
            let mut held = Vec::new();
            while held.len() < CROWD {
                match timeout(PROBE, TcpStream::connect(address)).await {
                    Ok(connected) => held.push(connected.expect("somebody listens")),
                    Err(_) => {
                        return FullQueue {
                            address,
                            _listener: listener,
                            _held: held,
                        };
                    }
                }
            }
            panic!("a queue for one takes {CROWD} connections: connecting never hangs here")
        })
    });
    full.await.address
}

fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a test can have sockets");
    socket
        .bind((Ipv4Addr::LOCALHOST, 0).into())
        .expect("loopback has a free port");
    socket
}
