//! Where a server listens.

use std::fmt;
use std::net::SocketAddr;

use serde::de::{Deserialize, Deserializer, Error};

/// An IP address and a port to listen on; port 0 takes any that is free.
///
/// Names are not resolved: whether an address is loopback, and so may go without a token, must
/// not depend on a resolver.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BindAddress(SocketAddr);

impl BindAddress {
    /// The address and port.
    #[must_use]
    pub fn get(self) -> SocketAddr {
        self.0
    }

    /// Whether only this machine can connect, also where IPv6 wraps an IPv4 address.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

impl From<SocketAddr> for BindAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl<'de> Deserialize<'de> for BindAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            D::Error::custom("must be an IP address and a port, like 127.0.0.1:7400 or [::1]:7400")
        })
    }
}

/// Shows that there is one, and no more.
impl fmt::Debug for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindAddress(…)")
    }
}
