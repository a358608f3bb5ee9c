//! How a remote Runtime is reached.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_client::{ClientConfigError, RetryPolicy, Timeouts, Transport};
use yoi_config::SecretSource;

use super::{BulkheadSettings, CircuitSettings};

/// How a remote Runtime is reached. `Debug` shows neither address nor credential.
#[derive(Clone)]
pub struct RemoteSettings {
    /// `https://…`, or `http://…` to loopback.
    pub base_url: String,
    /// Takes `http://` to elsewhere, too.
    pub allow_plain_http: bool,
    /// The bearer token; none is sent without.
    pub token: Option<Arc<SecretSource>>,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// How often a call is tried again.
    pub retry: RetryPolicy,
    /// When the Runtime is left alone for a while.
    pub circuit: CircuitSettings,
    /// How many calls there may be at a time.
    pub bulkhead: BulkheadSettings,
    /// How long an observation may be silent before it counts as lost. The far end is pinged after
    /// half of it.
    pub idle: Duration,
    /// Another way there than the machine's network; what goes over it still names `base_url`.
    pub transport: Option<Arc<dyn Transport>>,
}

impl RemoteSettings {
    /// A Runtime at `base_url` without a token, with the contract's timeouts.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            allow_plain_http: false,
            token: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            circuit: CircuitSettings::default(),
            bulkhead: BulkheadSettings::default(),
            idle: Duration::from_secs(30),
            transport: None,
        }
    }

    /// Whether nobody on the way can read along, or it was said that this does not matter.
    pub(super) fn is_private(&self) -> bool {
        self.allow_plain_http || is_private(&self.base_url)
    }
}

impl fmt::Debug for RemoteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSettings")
            .field("allow_plain_http", &self.allow_plain_http)
            .field("token", &self.token.is_some())
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("circuit", &self.circuit)
            .field("bulkhead", &self.bulkhead)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// Why a remote Runtime cannot be reached as configured. Never repeats the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Plain HTTP would carry the credential over a network.
    #[error("base_url must be https:// unless it is loopback or allow_plain_http is true")]
    PlainHttp,
    /// The client refuses it.
    #[error(transparent)]
    Client(#[from] ClientConfigError),
}

/// Whether a base URL is `https`, or `http` to this machine.
fn is_private(base_url: &str) -> bool {
    let lower = base_url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://") else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}
