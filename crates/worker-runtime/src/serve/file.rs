//! What the process reads of `yoi.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use yoi_config::{BindAddress, ConfigError, Elsewhere, Environment, Loader, SecretRef};
use yoi_protocol::{Limits, RuntimeId};

use crate::ProfileConfig;
use crate::config::{Common, StoreConfig};

/// The configuration file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "yoi.toml";

/// The layers below the flags: the file that is named, or [`DEFAULT_FILE`] if there is one in the
/// working folder, and over it the environment.
///
/// # Errors
/// When a file is named that cannot be read, or a file is not TOML.
pub fn layers(named: Option<&PathBuf>, environment: &Environment) -> Result<Loader, ConfigError> {
    let default = Path::new(DEFAULT_FILE);
    let file = match named {
        Some(path) => Some(path.as_path()),
        None => default.exists().then_some(default),
    };
    let loader = match file {
        Some(path) => Loader::new().file(path)?,
        None => Loader::new(),
    };
    Ok(loader.environment(environment))
}

/// The whole file, as a standalone Runtime sees it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) runtime: Section,
    limits: Limits,
    default_profile: Option<String>,
    profiles: BTreeMap<String, ProfileConfig>,
    // What a Backend reads of the same file.
    server: Elsewhere,
    runtimes: Elsewhere,
    policy: Elsewhere,
}

impl File {
    pub(super) fn common(&self) -> Common {
        Common {
            limits: self.limits.clone(),
            default_profile: self.default_profile.clone(),
            profiles: self.profiles.clone(),
        }
    }
}

/// `[runtime]`.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Section {
    /// The id; one is generated for this start when absent.
    pub(super) id: Option<RuntimeId>,
    /// A name for people.
    pub(super) display_name: Option<String>,
    /// Where to listen.
    pub(super) bind: BindAddress,
    /// Names that requests may use beside loopback and the bind address.
    pub(super) allowed_hosts: Vec<String>,
    /// Where the log is kept.
    pub(super) store: StoreConfig,
    /// What Backends must send. Needed when not bound to loopback.
    pub(super) token: Option<SecretRef>,
    /// How long the head of a request may take.
    pub(super) header_timeout_ms: u64,
    /// How long the end may take, from the signal on.
    pub(super) drain_timeout_ms: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            id: None,
            display_name: None,
            bind: BindAddress::from(std::net::SocketAddr::from(([127, 0, 0, 1], 7401))),
            allowed_hosts: Vec::new(),
            store: StoreConfig::Memory,
            token: None,
            header_timeout_ms: 10_000,
            drain_timeout_ms: 10_000,
        }
    }
}
