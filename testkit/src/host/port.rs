//! A port that stays the same when its server ends and the next one begins.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// A loopback port that nobody else is given meanwhile.
///
/// It is bound, but nobody listens: between two servers connections are refused, as at the
/// address of a process that has ended.
pub(crate) struct Port {
    address: SocketAddr,
    _reserved: TcpSocket,
}

impl Port {
    /// One that was free.
    pub(crate) fn reserve() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let reserved = bound(any).expect("loopback has a free port");
        let address = reserved.local_addr().expect("a bound socket has one");
        Self {
            address,
            _reserved: reserved,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there. Must be called on the runtime that is to take the connections.
    ///
    /// # Errors
    /// The server before has not ended yet.
    pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        bound(address)?.listen(1024)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Two may be bound to one address as long as none of them listens.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
