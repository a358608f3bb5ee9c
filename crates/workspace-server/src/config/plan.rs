//! From a configuration to a Backend and its settings.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use yoi_config::{ConfigError, Environment, Loaded, Loader};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::RuntimeId;

use super::file::BackendConfig;
use super::{runtimes, secrets};
use crate::api::HttpSettings;
use crate::backend::{Backend, BackendBuilder, BuildError};

/// The longest timeout that makes sense: a day.
pub(super) const MAX_TIMEOUT_MS: u64 = 86_400_000;

/// Why a Backend does not start. Shows no address, no path, no secret.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store of a Runtime inside cannot be started on.
    #[error("the store of runtime {0} cannot be opened: {1}")]
    Store(RuntimeId, String),
    /// A Runtime inside cannot start.
    #[error("runtime {0} cannot start: {1}")]
    Runtime(RuntimeId, #[source] worker_runtime::StartError),
    /// The Backend cannot be put together.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// A configuration that was read, and checked as far as that is possible without doing anything.
pub struct Plan {
    loaded: Loaded<BackendConfig>,
    environment: Environment,
}

impl Plan {
    /// Reads what the layers of `loader` add up to; secrets are taken from `environment`.
    ///
    /// # Errors
    /// What is wrong, with its place: keys that are unknown or not in this version yet (`tls`,
    /// `[[policy]]`), values that cannot be, an address beyond loopback without a token.
    pub fn read(loader: Loader, environment: &Environment) -> Result<Self, ConfigError> {
        let loaded: Loaded<BackendConfig> = loader.load()?;
        let server = &loaded.value.server;
        let later = "is not in this version yet; leave it out";
        if server.tls.is_some() {
            return Err(loaded.fault("server.tls", later));
        }
        if loaded.value.policy.is_some() {
            return Err(loaded.fault("policy", later));
        }
        if !server.bind.is_loopback() && server.tokens.is_empty() {
            let rule = "is not loopback, so a token is needed: set server.tokens";
            return Err(loaded.fault("server.bind", rule));
        }
        for (key, value) in [
            ("server.header_timeout_ms", server.header_timeout_ms),
            ("server.drain_timeout_ms", server.drain_timeout_ms),
        ] {
            if !(1..=MAX_TIMEOUT_MS).contains(&value) {
                return Err(loaded.fault(key, "must be from 1 to 86400000: a day"));
            }
        }
        runtimes::check(&loaded)?;
        Ok(Self {
            loaded,
            environment: environment.clone(),
        })
    }

    /// Where to listen.
    #[must_use]
    pub fn bind(&self) -> SocketAddr {
        self.loaded.value.server.bind.get()
    }

    /// Whether callers need a token.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        !self.loaded.value.server.tokens.is_empty()
    }

    /// How the Backend is served; opens the secrets of its tokens.
    ///
    /// # Errors
    /// A token that cannot be had, a host or an origin that is none.
    pub fn settings(&self) -> Result<HttpSettings, ConfigError> {
        let server = &self.loaded.value.server;
        let browsers = Browsers::Allowed {
            origins: server.allowed_origins.clone(),
        };
        let guard =
            OriginGuard::new(self.bind(), &server.allowed_hosts, &browsers).map_err(|error| {
                let key = format!("server.{}[{}]", error.list, error.index);
                ConfigError::new(self.loaded.place(&key), format!("server.{error}"))
            })?;
        let mut settings = HttpSettings::new(guard);
        settings.max_body_bytes = self.loaded.value.limits.max_body_bytes;
        settings.tokens = secrets::tokens(&self.loaded, &self.environment)?;
        settings.header_timeout = Duration::from_millis(server.header_timeout_ms);
        settings.drain_timeout = Duration::from_millis(server.drain_timeout_ms);
        Ok(settings)
    }

    /// A builder with everything that the configuration says; the Runtimes inside are started.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn builder(&self) -> Result<BackendBuilder, StartError> {
        let keys = secrets::keys(&self.loaded, &self.environment)?;
        let runtimes = runtimes::registrations(&self.loaded, &self.environment).await?;
        let builder = Backend::builder().keys(keys);
        Ok(runtimes.into_iter().fold(builder, BackendBuilder::runtime))
    }

    /// The Backend, running.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(&self) -> Result<Backend, StartError> {
        Ok(self.builder().await?.build()?)
    }

    /// Why the address cannot be listened on, with its place.
    #[must_use]
    pub fn cannot_listen(&self, error: &io::Error) -> ConfigError {
        let rule = format_args!("cannot be listened on: {}", error.kind());
        self.loaded.fault("server.bind", rule)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}
