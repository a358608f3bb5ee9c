//! The secrets that a configuration refers to.

use std::sync::Arc;

use yoi_config::{ConfigError, Environment, Loaded, SecretRef, SecretSource};
use yoi_http_kit::TokenSet;

use super::file::BackendConfig;
use crate::seal::{KeyRing, SealKey};

/// Opens one secret; a server learns at its start that one is missing.
pub(super) fn open(
    loaded: &Loaded<BackendConfig>,
    key: &str,
    reference: &SecretRef,
    environment: &Environment,
) -> Result<SecretSource, ConfigError> {
    SecretSource::open(reference, environment).map_err(|error| loaded.fault(key, error))
}

/// The keys of cursors. They are read once: a key that changed under the same reference could
/// open nothing that it sealed before.
pub(super) fn keys(
    loaded: &Loaded<BackendConfig>,
    environment: &Environment,
) -> Result<KeyRing, ConfigError> {
    let mut keys = Vec::new();
    for (index, reference) in loaded.value.server.cursor_keys.iter().enumerate() {
        let key = format!("server.cursor_keys[{index}]");
        let secret = open(loaded, &key, reference, environment)?.current();
        let parsed = SealKey::from_base64(secret.expose());
        keys.push(parsed.map_err(|error| loaded.fault(&key, error))?);
    }
    Ok(if keys.is_empty() {
        KeyRing::random()
    } else {
        let first = keys.remove(0);
        KeyRing::new(first, keys)
    })
}

/// Who may ask.
pub(super) fn tokens(
    loaded: &Loaded<BackendConfig>,
    environment: &Environment,
) -> Result<TokenSet, ConfigError> {
    let mut set = TokenSet::open();
    let configured = &loaded.value.server.tokens;
    for (index, token) in configured.iter().enumerate() {
        let key = format!("server.tokens[{index}]");
        let earlier = configured.iter().take(index);
        if token.name.is_empty() || token.name.chars().any(char::is_control) {
            let rule = "must be a name without control characters";
            return Err(loaded.fault(&format!("{key}.name"), rule));
        }
        if earlier.into_iter().any(|other| other.name == token.name) {
            return Err(loaded.fault(&format!("{key}.name"), "stands twice"));
        }
        let source = open(loaded, &format!("{key}.secret"), &token.secret, environment)?;
        let reader = Arc::new(move || Some(source.current().into_secret_string()));
        set = set.with(token.name.as_str(), reader);
    }
    Ok(set)
}
