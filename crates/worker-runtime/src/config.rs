//! What a configuration file says of a Runtime: plain data, and the builder that it makes.
//!
//! The file is read elsewhere (the process `worker-runtime`, a Backend with embedded Runtimes);
//! here is what both of them have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use yoi_protocol::{Limits, RuntimeId};

use crate::profile::{ProfileConfig, ProfileError};
use crate::runtime::{Runtime, RuntimeBuilder};

/// Where a Runtime keeps its log: `{ kind = "memory" }` or `{ kind = "fs", path = "…" }`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StoreTable")]
pub enum StoreConfig {
    /// In memory: gone when the process is.
    #[default]
    Memory,
    /// In files under this folder.
    Fs(PathBuf),
}

/// The table as it is written, before it is known to make sense.
#[derive(Deserialize)]
struct StoreTable {
    kind: StoreKind,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoreKind {
    Memory,
    Fs,
}

impl TryFrom<StoreTable> for StoreConfig {
    type Error = &'static str;

    fn try_from(table: StoreTable) -> Result<Self, &'static str> {
        match (table.kind, table.path) {
            (StoreKind::Memory, None) => Ok(Self::Memory),
            (StoreKind::Memory, Some(_)) => Err("takes a path only with kind = \"fs\""),
            (StoreKind::Fs, Some(path)) if !path.as_os_str().is_empty() => Ok(Self::Fs(path)),
            (StoreKind::Fs, Some(_) | None) => Err("needs a path with kind = \"fs\""),
        }
    }
}

/// Shows the kind, but no path.
impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "StoreConfig(memory)",
            Self::Fs(_) => "StoreConfig(fs)",
        })
    }
}

/// What all Runtimes of a process share: `[limits]`, `default_profile` and `[profiles]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Common {
    /// What each of them bounds.
    pub limits: Limits,
    /// The profile of a Worker that names none; `echo` when absent.
    pub default_profile: Option<String>,
    /// What their Workers can run, beside `echo`.
    pub profiles: BTreeMap<String, ProfileConfig>,
}

/// A configuration that no Runtime can have. Names the key, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The durable store is asked for, and this build or version does not have it.
    #[error(
        "asks for the durable store (kind = \"fs\"), which this version does not have yet; \
         use kind = \"memory\""
    )]
    StoreUnsupported,
    /// A profile cannot be built.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Common {
    /// A builder for one Runtime of the process. Starting it checks the limits and the default
    /// profile.
    ///
    /// # Errors
    /// [`ConfigFault`] for the first thing that no Runtime can have.
    pub fn builder(
        &self,
        id: RuntimeId,
        store: &StoreConfig,
    ) -> Result<RuntimeBuilder, ConfigFault> {
        let mut builder = Runtime::builder(id).limits(self.limits.clone());
        for (name, profile) in &self.profiles {
            builder = builder.profile(name, profile.build(name)?);
        }
        if let Some(name) = &self.default_profile {
            builder = builder.default_profile(name);
        }
        match store {
            StoreConfig::Memory => Ok(builder),
            StoreConfig::Fs(_) => Err(ConfigFault::StoreUnsupported),
        }
    }
}
