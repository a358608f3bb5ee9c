//! Who asks: bearer tokens.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use yoi_protocol::{Code, path};

use crate::Rejection;
use crate::extract::Principal;
use crate::once::once;

/// Gives the present text of a secret; `None` while it cannot be read.
///
/// It is asked on each request, so that a rotated secret holds at once: let it be cheap.
pub type SecretReader = Arc<dyn Fn() -> Option<SecretString> + Send + Sync>;

/// The tokens that a server takes, each with the name of whoever holds it.
///
/// With no token at all everyone is let in, as the principal `local`: the server must then be
/// bound to loopback. A token whose secret cannot be read lets nobody in.
#[derive(Clone, Default)]
pub struct TokenSet {
    tokens: Vec<(Arc<str>, SecretReader)>,
}

impl TokenSet {
    /// No token: everyone is let in.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// The set with one more token.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, secret: SecretReader) -> Self {
        self.tokens.push((name.into(), secret));
        self
    }

    /// Whether everyone is let in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Who holds the token that a request carries.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Principal, Rejection> {
        if self.is_open() {
            return Ok(Principal::local());
        }
        bearer(headers)
            .and_then(|presented| self.holder(presented))
            .map(Principal::named)
            .ok_or_else(|| Rejection::code(Code::Unauthorized))
    }

    /// Compares with every token, in a time that does not depend on which one matches or where
    /// a wrong one differs.
    fn holder(&self, presented: &[u8]) -> Option<Arc<str>> {
        let presented = Sha256::digest(presented);
        let none = u64::MAX;
        let mut found = none;
        for (index, (_, secret)) in (0_u64..).zip(&self.tokens) {
            let matches = secret().map_or(Choice::from(0), |secret| {
                Sha256::digest(secret.expose_secret()).ct_eq(&presented)
            });
            found.conditional_assign(&index, matches & found.ct_eq(&none));
        }
        let index = usize::try_from(found).ok()?;
        self.tokens.get(index).map(|(name, _)| Arc::clone(name))
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.tokens.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Whether a path is answered without a credential.
pub(super) fn is_open(request_path: &str) -> bool {
    request_path == path::HEALTHZ || request_path == path::READYZ
}

/// The one bearer token of a request; never an empty one, which an empty secret would match.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let only = once(headers, AUTHORIZATION).ok()??;
    let (scheme, token) = only.as_bytes().split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}
