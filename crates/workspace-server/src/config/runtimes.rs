//! From `[[runtimes]]` to registrations.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use worker_runtime::StartError as RuntimeStartError;
use worker_runtime::config::{ConfigFault, StoreConfig};
use yoi_client::Timeouts;
use yoi_config::{ConfigError, Environment, Loaded};
use yoi_protocol::{RuntimeId, worker::is_display_name};

use super::file::{BackendConfig, RuntimeConfig, RuntimeKind, TimeoutsConfig};
use super::plan::{MAX_TIMEOUT_MS, StartError};
use super::secrets;
use crate::handle::{RemoteError, RemoteSettings};
use crate::registry::{CallTimeouts, Registration};

/// The Runtime of a Backend that is not told of any.
const DEFAULT_RUNTIME: &str = "local";

/// What can be said against `[[runtimes]]` without starting anything.
pub(super) fn check(loaded: &Loaded<BackendConfig>) -> Result<(), ConfigError> {
    let configured = loaded.value.runtimes.as_deref().unwrap_or_default();
    for (index, runtime) in configured.iter().enumerate() {
        let fault =
            |key: &str, rule: &str| Err(loaded.fault(&format!("runtimes[{index}].{key}"), rule));
        if configured
            .iter()
            .take(index)
            .any(|other| other.id == runtime.id)
        {
            return fault("id", "stands twice");
        }
        if runtime
            .display_name
            .as_deref()
            .is_some_and(|name| !is_display_name(name))
        {
            let rule = "must be 1 to 128 characters, none of them a control character";
            return fault("display_name", rule);
        }
        let mut earlier = configured.iter().take(index);
        let same_store = folder(runtime).and_then(|ours| {
            let is_ours = |other: &&RuntimeConfig| folder(other).is_some_and(|path| path == ours);
            earlier.find(is_ours)
        });
        if let Some(other) = same_store {
            let rule = format!(
                "names the folder of runtime {}: each needs one of its own",
                other.id
            );
            return fault("store", &rule);
        }
        match runtime.kind {
            RuntimeKind::Embedded => {
                for (key, is_set) in [
                    ("base_url", runtime.base_url.is_some()),
                    ("allow_plain_http", runtime.allow_plain_http.is_some()),
                    ("token", runtime.token.is_some()),
                    ("retry", runtime.retry.is_some()),
                    ("circuit", runtime.circuit.is_some()),
                    ("bulkhead", runtime.bulkhead.is_some()),
                ] {
                    if is_set {
                        return fault(key, "is only for kind = \"remote\"");
                    }
                }
            }
            RuntimeKind::Remote if runtime.store.is_some() => {
                return fault("store", "is only for kind = \"embedded\"");
            }
            RuntimeKind::Remote if runtime.base_url.is_none() => {
                return fault("base_url", "is needed with kind = \"remote\"");
            }
            RuntimeKind::Remote => {}
        }
        let TimeoutsConfig {
            connect_ms,
            response_ms,
            request_ms,
            list_ms,
        } = runtime.timeouts;
        for (key, value) in [
            ("timeouts.connect_ms", connect_ms),
            ("timeouts.response_ms", response_ms),
            ("timeouts.request_ms", request_ms),
            ("timeouts.list_ms", list_ms),
        ] {
            if !(1..=MAX_TIMEOUT_MS).contains(&value) {
                return fault(key, "must be from 1 to 86400000: a day");
            }
        }
        for (table, wrong) in [
            ("retry", runtime.retry.and_then(|it| it.wrong())),
            ("circuit", runtime.circuit.and_then(|it| it.wrong())),
            ("bulkhead", runtime.bulkhead.and_then(|it| it.wrong())),
        ] {
            if let Some((key, rule)) = wrong {
                return fault(&format!("{table}.{key}"), rule);
            }
        }
    }
    Ok(())
}

/// Where a Runtime keeps its log, as far as one can tell from names.
fn folder(runtime: &RuntimeConfig) -> Option<PathBuf> {
    match &runtime.store {
        Some(StoreConfig::Fs(config)) => std::path::absolute(&config.path).ok(),
        Some(StoreConfig::Memory) | None => None,
    }
}

/// All Runtimes, those inside started.
pub(super) async fn registrations(
    loaded: &Loaded<BackendConfig>,
    environment: &Environment,
) -> Result<Vec<Registration>, StartError> {
    let Some(configured) = &loaded.value.runtimes else {
        let id = RuntimeId::parse(DEFAULT_RUNTIME).expect("a constant that is an id");
        let runtime = embedded(loaded, "runtimes", id, None, &StoreConfig::Memory).await?;
        return Ok(vec![runtime]);
    };
    let mut all = Vec::new();
    for (index, config) in configured.iter().enumerate() {
        let key = format!("runtimes[{index}]");
        let registration = match config.kind {
            RuntimeKind::Embedded => {
                let name = config.display_name.as_deref();
                let store = config.store.clone().unwrap_or_default();
                embedded(loaded, &key, config.id.clone(), name, &store).await?
            }
            RuntimeKind::Remote => remote(loaded, &key, config, environment)?,
        };
        let timeouts = CallTimeouts {
            request: Duration::from_millis(config.timeouts.request_ms),
            list: Duration::from_millis(config.timeouts.list_ms),
        };
        all.push(
            registration
                .display_name(config.display_name.clone())
                .visible(config.visible)
                .allow(config.allow.clone())
                .timeouts(timeouts),
        );
    }
    Ok(all)
}

async fn embedded(
    loaded: &Loaded<BackendConfig>,
    key: &str,
    id: RuntimeId,
    display_name: Option<&str>,
    store: &StoreConfig,
) -> Result<Registration, StartError> {
    let common = loaded.value.common();
    let mut builder = common
        .builder(id.clone(), store)
        .await
        .map_err(|fault| match fault {
            ConfigFault::StoreUnsupported | ConfigFault::StoreUnusable(_) => {
                loaded.fault(&format!("{key}.store"), fault).into()
            }
            ConfigFault::Profile(error) => loaded
                .fault(
                    &format!("profiles.{}.{}", error.profile, error.key),
                    error.rule,
                )
                .into(),
            ConfigFault::Store(why) => StartError::Store(id.clone(), why),
        })?;
    if let Some(name) = display_name {
        builder = builder.display_name(name);
    }
    let runtime = builder.start().await.map_err(|error| match error {
        RuntimeStartError::Limit { name, rule } => {
            loaded.fault(&format!("limits.{name}"), rule).into()
        }
        RuntimeStartError::DefaultProfile { .. } => {
            let rule = "must name a profile of this file, or \"echo\"";
            loaded.fault("default_profile", rule).into()
        }
        error => StartError::Runtime(id, error),
    })?;
    let hidden = match store {
        StoreConfig::Memory => Vec::new(),
        StoreConfig::Fs(config) => vec![config.path.display().to_string()],
    };
    Ok(Registration::embedded(runtime).hide(hidden))
}

fn remote(
    loaded: &Loaded<BackendConfig>,
    key: &str,
    config: &RuntimeConfig,
    environment: &Environment,
) -> Result<Registration, ConfigError> {
    let base_url = config.base_url.as_ref();
    let base_url = base_url
        .map(|address| address.0.clone())
        .unwrap_or_default();
    let token = match &config.token {
        None => None,
        Some(reference) => {
            let key = format!("{key}.token");
            let source = secrets::open(loaded, &key, reference, environment)?;
            Some(Arc::new(source))
        }
    };
    let settings = RemoteSettings {
        allow_plain_http: config.allow_plain_http.unwrap_or(false),
        token,
        timeouts: Timeouts {
            connect: Duration::from_millis(config.timeouts.connect_ms),
            response: Duration::from_millis(config.timeouts.response_ms),
            request: Duration::from_millis(config.timeouts.request_ms),
        },
        retry: config.retry.unwrap_or_default().policy(),
        circuit: config.circuit.unwrap_or_default().settings(),
        bulkhead: config.bulkhead.unwrap_or_default().settings(),
        ..RemoteSettings::new(base_url)
    };
    Registration::remote(config.id.clone(), &settings).map_err(|error| {
        let rule = match error {
            RemoteError::PlainHttp => "must be https:// unless it is loopback; allow_plain_http = true takes plain HTTP elsewhere".to_owned(),
            RemoteError::Client(error) => format!("cannot be used: {error}"),
        };
        loaded.fault(&format!("{key}.base_url"), rule)
    })
}
