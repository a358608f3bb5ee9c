//! `null` and absent mean the same, also for what is no `Option`.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the type's default. Use together with `#[serde(default)]`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
