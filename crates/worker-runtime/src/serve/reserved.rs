//! An address that is taken before anything is begun.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// An address that is this process's, and on which nobody can connect yet: a server that cannot have
/// its address begins nothing, and one that is still beginning lets nobody wait for an answer.
#[derive(Debug)]
pub struct Reserved(TcpSocket);

impl Reserved {
    /// Takes an address; port 0 is any that is free.
    ///
    /// # Errors
    /// When it is taken, or is none of this machine.
    pub fn take(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // As every server does: connections that have ended keep no address from the next start.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    /// Lets others connect.
    ///
    /// # Errors
    /// When somebody else listens there after all.
    pub fn listen(self) -> io::Result<TcpListener> {
        self.0.listen(BACKLOG)
    }
}

#[cfg(test)]
mod tests;
