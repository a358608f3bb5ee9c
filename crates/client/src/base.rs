//! Where a server is. Known to the client alone: it has neither `Display` nor a telling `Debug`.

use std::fmt;

use http::Uri;

use crate::ClientConfigError;

/// The address of a server, checked once.
#[derive(Clone)]
pub(crate) struct BaseUrl {
    /// Scheme, authority and path prefix, without a slash at the end.
    text: String,
    secure: bool,
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ClientConfigError> {
        let uri: Uri = text.parse().map_err(|_| ClientConfigError::Address)?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(ClientConfigError::Scheme),
        };
        let authority = uri.authority().ok_or(ClientConfigError::Address)?;
        if authority.host().is_empty() {
            return Err(ClientConfigError::Address);
        }
        if authority.as_str().contains('@') {
            return Err(ClientConfigError::UserInfo);
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(ClientConfigError::Query);
        }
        let scheme = if secure { "https" } else { "http" };
        let prefix = uri.path().trim_end_matches('/');
        Ok(Self {
            text: format!("{scheme}://{authority}{prefix}"),
            secure,
        })
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The address of a path of the contract, with its query.
    pub(crate) fn join(&self, path_and_query: &str) -> Uri {
        format!("{}{path_and_query}", self.text)
            .parse()
            .expect("the base was checked, and ids and tokens need no escaping")
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseUrl(..)")
    }
}
