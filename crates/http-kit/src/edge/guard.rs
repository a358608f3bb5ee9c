//! Which Hosts, Origins and fetch metadata a server lets in.
//!
//! A server on loopback is within reach of every page that its user's browser shows. The Host
//! check stops DNS rebinding, the Origin and fetch metadata checks stop requests that a foreign
//! page makes.

mod authority;

use std::net::SocketAddr;

use axum::extract::Request;
use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use yoi_protocol::Code;

use self::authority::{AllowedHost, Authority, WebOrigin};
use crate::Rejection;
use crate::once::once;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What browsers may do.
#[derive(Debug, Clone)]
pub enum Browsers {
    /// Nothing: whatever only a browser sends is refused. For a Runtime.
    Forbidden,
    /// Pages of the server's own origin and of these may ask. For a Backend.
    Allowed {
        /// Origins as a browser writes them: `https://example.org`, `http://localhost:5173`.
        origins: Vec<String>,
    },
}

/// An entry of the configuration that is no host or no origin. Names the list and the place in
/// it, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list}[{index}] is not {expected}")]
pub struct GuardConfigError {
    /// `allowed_hosts` or `allowed_origins`.
    pub list: &'static str,
    /// Which entry.
    pub index: usize,
    expected: &'static str,
}

/// Lets in what the contract lets in, and refuses the rest with `forbidden_origin`.
#[derive(Debug, Clone)]
pub struct OriginGuard {
    bind: SocketAddr,
    hosts: Vec<AllowedHost>,
    /// `None`: no browser at all.
    origins: Option<Vec<WebOrigin>>,
}

/// A request of a page from another origin that is allowed to ask.
#[derive(Debug, Clone)]
pub(super) struct Crossing {
    pub(super) origin: HeaderValue,
}

impl OriginGuard {
    /// A guard for a server that is bound to `bind`. Loopback names, the bind address and
    /// `allowed_hosts` (names or addresses, with a port where only that one is meant) are its
    /// Hosts.
    ///
    /// # Errors
    /// The first entry that is no host or no origin.
    pub fn new(
        bind: SocketAddr,
        allowed_hosts: &[String],
        browsers: &Browsers,
    ) -> Result<Self, GuardConfigError> {
        let refused = |list, index, expected| GuardConfigError {
            list,
            index,
            expected,
        };
        let hosts = allowed_hosts.iter().enumerate().map(|(index, text)| {
            AllowedHost::parse(text).ok_or_else(|| {
                refused(
                    "allowed_hosts",
                    index,
                    "a host name or address, perhaps with a port",
                )
            })
        });
        let origins = match browsers {
            Browsers::Forbidden => None,
            Browsers::Allowed { origins } => {
                let origins = origins.iter().enumerate().map(|(index, text)| {
                    WebOrigin::parse(text).ok_or_else(|| {
                        refused(
                            "allowed_origins",
                            index,
                            "an origin like https://example.org",
                        )
                    })
                });
                Some(origins.collect::<Result<_, _>>()?)
            }
        };
        Ok(Self {
            bind,
            hosts: hosts.collect::<Result<_, _>>()?,
            origins,
        })
    }

    /// Refuses a request that is not let in.
    pub(super) fn check(&self, request: &Request) -> Result<(), Rejection> {
        let host = host(request).filter(|host| self.is_our_host(host));
        let let_in = match (&self.origins, host) {
            (_, None) => false,
            (None, Some(_)) => is_no_browser(request.headers()),
            (Some(origins), Some(host)) => is_fair_page(request.headers(), &host, origins),
        };
        if let_in {
            Ok(())
        } else {
            Err(Rejection::code(Code::ForbiddenOrigin))
        }
    }

    /// The allowed foreign origin that a request comes from, if it does.
    pub(super) fn crossing(&self, request: &Request) -> Option<Crossing> {
        let allowed = self.origins.as_ref()?;
        let header = once(request.headers(), ORIGIN).ok()??;
        let origin = WebOrigin::parse(header.to_str().ok()?)?;
        let own = host(request).is_some_and(|host| origin.is_at(&host));
        (!own && allowed.contains(&origin)).then(|| Crossing {
            origin: header.clone(),
        })
    }

    fn is_our_host(&self, host: &Authority) -> bool {
        host.is_loopback()
            || host.is_address(self.bind.ip())
            || self.hosts.iter().any(|allowed| allowed.takes(host))
    }
}

/// The one host that a request names. A target in absolute form must agree with the header.
fn host(request: &Request) -> Option<Authority> {
    let header = once(request.headers(), HOST).ok()??;
    let header = Authority::parse(header.to_str().ok()?)?;
    match request.uri().authority() {
        None => Some(header),
        Some(target) => (Authority::parse(target.as_str())? == header).then_some(header),
    }
}

fn is_no_browser(headers: &HeaderMap) -> bool {
    !headers.contains_key(ORIGIN) && !headers.contains_key(SEC_FETCH_SITE)
}

/// Whether the page that asks, if it is one, is our own or an allowed one.
fn is_fair_page(headers: &HeaderMap, host: &Authority, allowed: &[WebOrigin]) -> bool {
    let (Ok(origin), Ok(site)) = (once(headers, ORIGIN), once(headers, SEC_FETCH_SITE)) else {
        return false;
    };
    let known_origin = origin.map(|text| {
        text.to_str()
            .ok()
            .and_then(WebOrigin::parse)
            .is_some_and(|origin| origin.is_at(host) || allowed.contains(&origin))
    });
    match (known_origin, site.map(HeaderValue::as_bytes)) {
        (Some(known), None | Some(b"cross-site" | b"same-site" | b"same-origin" | b"none")) => {
            known
        }
        (None, None | Some(b"same-origin" | b"none")) => true,
        (None, Some(_)) | (Some(_), Some(_)) => false,
    }
}
