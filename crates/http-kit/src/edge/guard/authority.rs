//! Hosts and origins as headers and configuration write them.

use std::net::IpAddr;

/// A host and perhaps a port, in the one form that comparisons work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl Authority {
    /// Takes `host`, `host:port`, `[v6]` or `[v6]:port`; no user, no path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                let address: std::net::Ipv6Addr = address.parse().ok()?;
                (
                    Host::Address(address.into()),
                    rest.strip_prefix(':').or(rest.is_empty().then_some("")),
                )
            }
            None => {
                let (host, port) = text.split_once(':').unwrap_or((text, ""));
                (Host::parse(host)?, Some(port))
            }
        };
        let port = match port? {
            "" => None,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    pub(super) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Address(address) => address.to_canonical().is_loopback(),
            Host::Name(name) => name == "localhost",
        }
    }

    pub(super) fn is_address(&self, address: IpAddr) -> bool {
        matches!(&self.host, Host::Address(own) if own.to_canonical() == address.to_canonical())
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let fits = !name.is_empty()
            && name.len() <= 253
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        fits.then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

/// An entry of `allowed_hosts`; without a port it takes any.
#[derive(Debug, Clone)]
pub(super) struct AllowedHost(Authority);

impl AllowedHost {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Authority::parse(text).map(Self)
    }

    pub(super) fn takes(&self, asked: &Authority) -> bool {
        self.0.host == asked.host && (self.0.port.is_none() || self.0.port == asked.port)
    }
}

/// The origin of a page: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebOrigin {
    secure: bool,
    at: Authority,
}

impl WebOrigin {
    /// Takes what a browser writes into `Origin`; not `null`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let mut at = Authority::parse(rest)?;
        let default = if secure { 443 } else { 80 };
        at.port = at.port.filter(|port| *port != default);
        Some(Self { secure, at })
    }

    /// Whether this is the origin of the server that was asked as `host`. TLS may end before it,
    /// so either scheme is its own.
    pub(super) fn is_at(&self, host: &Authority) -> bool {
        let default = if self.secure { 443 } else { 80 };
        self.at.host == host.host && self.at.port == host.port.filter(|port| *port != default)
    }
}
