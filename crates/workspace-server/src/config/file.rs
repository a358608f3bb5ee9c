//! The sections that a Backend reads: plain data, as it stands in the file.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::Deserialize;
use worker_runtime::ProfileConfig;
use worker_runtime::config::{Common, StoreConfig};
use yoi_config::{BindAddress, Elsewhere, SecretRef};
use yoi_protocol::{Limits, Operation, RuntimeId};

use super::link::{BulkheadConfig, CircuitConfig, RetryConfig};

/// The whole file, as a Backend sees it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BackendConfig {
    /// The server itself.
    pub server: ServerConfig,
    /// Its Runtimes; one embedded Runtime `local` in memory when absent.
    pub runtimes: Option<Vec<RuntimeConfig>>,
    /// The limits of the Runtimes inside.
    pub limits: Limits,
    /// The profile of a Worker that names none, in the Runtimes inside.
    pub default_profile: Option<String>,
    /// What Workers of the Runtimes inside can run.
    pub profiles: BTreeMap<String, ProfileConfig>,
    /// Rules by principal. Not in this version yet: refused, never ignored.
    pub policy: Option<Elsewhere>,
    /// What a standalone Runtime reads of the same file.
    pub runtime: Elsewhere,
}

impl BackendConfig {
    /// What the Runtimes inside have in common.
    pub(super) fn common(&self) -> Common {
        Common {
            limits: self.limits.clone(),
            default_profile: self.default_profile.clone(),
            profiles: self.profiles.clone(),
        }
    }
}

/// `[server]`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// Where to listen.
    pub bind: BindAddress,
    /// The keys of cursors: 32 bytes in base64 each. The first seals, all open; none: one random
    /// key for this process.
    pub cursor_keys: Vec<SecretRef>,
    /// Who may ask. None: everyone on loopback, as the principal `local`.
    pub tokens: Vec<TokenConfig>,
    /// Hosts that requests may name beside loopback and the bind address.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may ask beside the server's own.
    pub allowed_origins: Vec<String>,
    /// Not in this version yet: refused, never ignored.
    pub tls: Option<Elsewhere>,
    /// How long the head of a request may take.
    pub header_timeout_ms: u64,
    /// How long the end may take, from the signal on.
    pub drain_timeout_ms: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: BindAddress::from(SocketAddr::from(([127, 0, 0, 1], 7400))),
            cursor_keys: Vec::new(),
            tokens: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            tls: None,
            header_timeout_ms: 10_000,
            drain_timeout_ms: 10_000,
        }
    }
}

/// One of `server.tokens`.
#[derive(Debug, Deserialize)]
pub struct TokenConfig {
    /// The principal that it makes of a caller.
    pub name: String,
    /// The token.
    pub secret: SecretRef,
}

/// One of `[[runtimes]]`.
#[derive(Debug, Deserialize)]
pub struct RuntimeConfig {
    /// Its name in every address.
    pub id: RuntimeId,
    /// Where it runs.
    pub kind: RuntimeKind,
    /// A name for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Embedded: where it keeps its log; in memory when absent.
    #[serde(default)]
    pub store: Option<StoreConfig>,
    /// Remote: its address.
    #[serde(default)]
    pub base_url: Option<Address>,
    /// Remote: takes `http://` to elsewhere than loopback.
    #[serde(default)]
    pub allow_plain_http: Option<bool>,
    /// Remote: the Backend's credential there.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// Whether anyone may see it.
    #[serde(default = "yes")]
    pub visible: bool,
    /// The operations that are allowed; all when absent.
    #[serde(default)]
    pub allow: Option<Vec<Operation>>,
    /// How long operations may take.
    #[serde(default)]
    pub timeouts: TimeoutsConfig,
    /// Remote: how often a call is tried again.
    #[serde(default)]
    pub retry: Option<RetryConfig>,
    /// Remote: when it is left alone for a while.
    #[serde(default)]
    pub circuit: Option<CircuitConfig>,
    /// Remote: how many calls there may be at a time.
    #[serde(default)]
    pub bulkhead: Option<BulkheadConfig>,
}

fn yes() -> bool {
    true
}

/// Where a Runtime runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeKind {
    /// Inside the Backend.
    Embedded,
    /// In a process of its own.
    Remote,
}

/// The timeouts of one Runtime, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TimeoutsConfig {
    /// Until a connection stands.
    pub connect_ms: u64,
    /// Until the head of an answer, and between two pieces of its body.
    pub response_ms: u64,
    /// Any operation, over all attempts.
    pub request_ms: u64,
    /// Its part in a list of all Workers.
    pub list_ms: u64,
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect_ms: 2_000,
            response_ms: 10_000,
            request_ms: 15_000,
            list_ms: 2_000,
        }
    }
}

/// An address, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Address(pub String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}
