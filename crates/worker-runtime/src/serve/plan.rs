//! From flags, environment and file to a Runtime and its settings.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use yoi_config::{ConfigError, Environment, Loaded, SecretSource};
use yoi_http_kit::edge::Browsers;
use yoi_http_kit::{OriginGuard, TokenSet};
use yoi_protocol::RuntimeId;

use super::ServeError;
use super::args::RuntimeArgs;
use super::file::{File, layers};
use crate::config::ConfigFault;
use crate::http::HttpSettings;
use crate::{Runtime, StartError};

/// A configuration that was read, checked as far as that is possible without doing anything.
pub(super) struct Plan {
    loaded: Loaded<File>,
}

impl Plan {
    pub(super) fn read(args: &RuntimeArgs, environment: &Environment) -> Result<Self, ConfigError> {
        let loaded: Loaded<File> = layers(args.config.as_ref(), environment)?
            .flag("--bind", "runtime.bind", args.bind.clone())
            .flag("--id", "runtime.id", args.id.clone())
            .flag_alone("--store", "runtime.store.kind", args.store.clone())
            .flag("--path", "runtime.store.path", args.path.clone())
            .flag_alone("--token-env", "runtime.token.env", args.token_env.clone())
            .flag_alone(
                "--token-file",
                "runtime.token.file",
                args.token_file.clone(),
            )
            .load()?;
        let section = &loaded.value.runtime;
        if !section.bind.is_loopback() && section.token.is_none() {
            let rule = "is not loopback, so a token is needed: set runtime.token, \
                        --token-env or --token-file";
            return Err(loaded.fault("runtime.bind", rule));
        }
        for (key, value) in [
            ("runtime.header_timeout_ms", section.header_timeout_ms),
            ("runtime.drain_timeout_ms", section.drain_timeout_ms),
        ] {
            if !(1..=MAX_TIMEOUT_MS).contains(&value) {
                return Err(loaded.fault(key, "must be from 1 to 86400000: a day"));
            }
        }
        Ok(Self { loaded })
    }

    pub(super) fn bind(&self) -> SocketAddr {
        self.loaded.value.runtime.bind.get()
    }

    /// How the Runtime is served; opens the token's secret.
    pub(super) fn settings(&self, environment: &Environment) -> Result<HttpSettings, ConfigError> {
        let section = &self.loaded.value.runtime;
        let guard = OriginGuard::new(self.bind(), &section.allowed_hosts, &Browsers::Forbidden)
            .map_err(|error| {
                let key = format!("runtime.{}[{}]", error.list, error.index);
                ConfigError::new(self.loaded.place(&key), format!("runtime.{error}"))
            })?;
        let mut settings = HttpSettings::new(guard);
        if let Some(reference) = &section.token {
            let source = SecretSource::open(reference, environment)
                .map_err(|error| self.loaded.fault("runtime.token", error))?;
            let reader = Arc::new(move || Some(source.current().into_secret_string()));
            settings.tokens = TokenSet::open().with("backend", reader);
        }
        settings.header_timeout = Duration::from_millis(section.header_timeout_ms);
        settings.drain_timeout = Duration::from_millis(section.drain_timeout_ms);
        Ok(settings)
    }

    /// Starts the Runtime.
    pub(super) async fn start(&self) -> Result<Runtime, ServeError> {
        let file = &self.loaded.value;
        let section = &file.runtime;
        let id = match &section.id {
            Some(id) => id.clone(),
            None => self.own_id().await?,
        };
        let mut builder = file
            .common()
            .builder(id, &section.store)
            .await
            .map_err(|fault| self.unusable(fault))?;
        if let Some(name) = &section.display_name {
            builder = builder.display_name(name.clone());
        }
        builder.start().await.map_err(|error| self.refused(error))
    }

    /// The id of a Runtime that is not told one: that of its store, so that it is the same at
    /// every start, or a new one.
    async fn own_id(&self) -> Result<RuntimeId, ServeError> {
        let store = &self.loaded.value.runtime.store;
        let owner = store.owner().await.map_err(|fault| self.unusable(fault))?;
        let generated = || generated_id().map_err(|rule| self.loaded.fault("runtime.id", rule));
        Ok(owner.map_or_else(generated, Ok)?)
    }

    fn unusable(&self, fault: ConfigFault) -> ServeError {
        match fault {
            ConfigFault::StoreUnsupported | ConfigFault::StoreUnusable(_) => {
                self.loaded.fault("runtime.store", fault).into()
            }
            ConfigFault::Profile(error) => {
                let key = format!("profiles.{}.{}", error.profile, error.key);
                self.loaded.fault(&key, error.rule).into()
            }
            ConfigFault::Store(why) => ServeError::Store(why),
        }
    }

    /// What the Runtime says of its configuration is told with the place in the file.
    fn refused(&self, error: StartError) -> ServeError {
        let config = |key: &str, rule: &str| ServeError::Config(self.loaded.fault(key, rule));
        match error {
            StartError::Limit { name, rule } => config(&format!("limits.{name}"), rule),
            StartError::DisplayName => config(
                "runtime.display_name",
                "must be 1 to 128 characters, none of them a control character",
            ),
            StartError::DefaultProfile { .. } => config(
                "default_profile",
                "must name a profile of this file, or \"echo\"",
            ),
            error => ServeError::Start(error),
        }
    }

    pub(super) fn cannot_listen(&self, error: &io::Error) -> ConfigError {
        self.loaded.fault(
            "runtime.bind",
            format_args!("cannot be listened on: {}", error.kind()),
        )
    }
}

/// The longest timeout that makes sense: a day.
const MAX_TIMEOUT_MS: u64 = 86_400_000;

fn generated_id() -> Result<RuntimeId, String> {
    RuntimeId::parse(&format!("rt-{}", Uuid::now_v7())).map_err(|error| error.to_string())
}
