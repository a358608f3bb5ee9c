//! What a configuration file says of a Runtime: plain data, and the builder that it makes.
//!
//! The file is read elsewhere (the process `worker-runtime`, a Backend with embedded Runtimes);
//! here is what both of them have in common.

#[cfg(feature = "fs-store")]
mod durable;
#[cfg(not(feature = "fs-store"))]
#[path = "config/no_durable.rs"]
mod durable;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use yoi_protocol::{Limits, RuntimeId};

use crate::profile::{ProfileConfig, ProfileError};
use crate::runtime::{Runtime, RuntimeBuilder};

/// Where a Runtime keeps its log: `{ kind = "memory" }` or `{ kind = "fs", path = "…" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StoreTable")]
pub enum StoreConfig {
    /// In memory: gone when the process is.
    #[default]
    Memory,
    /// In files.
    Fs(FsConfig),
}

/// The durable store: `kind = "fs"`.
#[derive(Clone, PartialEq, Eq)]
pub struct FsConfig {
    /// The folder of the files.
    pub path: PathBuf,
    /// The longest that an event is kept, in milliseconds; for ever when absent.
    pub max_age_ms: Option<u64>,
    /// The most bytes of all files together, about; no bound when absent.
    pub max_bytes: Option<u64>,
}

/// Shows no path.
impl fmt::Debug for FsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsConfig")
            .field("max_age_ms", &self.max_age_ms)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// The table as it is written, before it is known to make sense.
#[derive(Deserialize)]
struct StoreTable {
    kind: StoreKind,
    path: Option<PathBuf>,
    max_age_ms: Option<u64>,
    max_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoreKind {
    Memory,
    Fs,
}

/// The least that `max_bytes` can keep to.
const LEAST_MAX_BYTES: u64 = 1024 * 1024;

impl TryFrom<StoreTable> for StoreConfig {
    type Error = &'static str;

    fn try_from(table: StoreTable) -> Result<Self, &'static str> {
        let StoreTable {
            kind,
            path,
            max_age_ms,
            max_bytes,
        } = table;
        match kind {
            StoreKind::Memory if path.is_some() => Err("takes a path only with kind = \"fs\""),
            StoreKind::Memory if max_age_ms.is_some() || max_bytes.is_some() => {
                Err("takes max_age_ms and max_bytes only with kind = \"fs\"")
            }
            StoreKind::Memory => Ok(Self::Memory),
            StoreKind::Fs if max_age_ms == Some(0) => Err("needs a max_age_ms of at least 1"),
            StoreKind::Fs if max_bytes.is_some_and(|bytes| bytes < LEAST_MAX_BYTES) => {
                Err("needs a max_bytes of at least 1048576")
            }
            StoreKind::Fs => match path {
                Some(path) if !path.as_os_str().is_empty() => Ok(Self::Fs(FsConfig {
                    path,
                    max_age_ms,
                    max_bytes,
                })),
                Some(_) | None => Err("needs a path with kind = \"fs\""),
            },
        }
    }
}

impl StoreConfig {
    /// The Runtime whose log is there already; `None` where there is none, and in memory.
    ///
    /// # Errors
    /// [`ConfigFault`]: there is one that cannot be read.
    pub async fn owner(&self) -> Result<Option<RuntimeId>, ConfigFault> {
        match self {
            Self::Memory => Ok(None),
            Self::Fs(config) => durable::owner(config).await,
        }
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

/// A configuration that no Runtime can have, or a store that cannot be opened. Names the key or
/// the file of the store, never a value or a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The durable store is asked for, and this build does not have it.
    #[error(
        "asks for the durable store (kind = \"fs\"), which this build does not have: build it \
         with the feature `fs-store`, or use kind = \"memory\""
    )]
    StoreUnsupported,
    /// Not a folder that this Runtime can keep its log in: another one can be.
    #[error("{0}")]
    StoreUnusable(String),
    /// There is a store that cannot be started on.
    #[error("{0}")]
    Store(String),
    /// A profile cannot be built.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Common {
    /// A builder for one Runtime of the process, with its store open. Starting it checks the
    /// limits and the default profile.
    ///
    /// # Errors
    /// [`ConfigFault`] for the first thing that no Runtime can have.
    pub async fn builder(
        &self,
        id: RuntimeId,
        store: &StoreConfig,
    ) -> Result<RuntimeBuilder, ConfigFault> {
        let mut builder = Runtime::builder(id.clone()).limits(self.limits.clone());
        for (name, profile) in &self.profiles {
            builder = builder.profile(name, profile.build(name)?);
        }
        if let Some(name) = &self.default_profile {
            builder = builder.default_profile(name);
        }
        match store {
            StoreConfig::Memory => Ok(builder),
            StoreConfig::Fs(config) => {
                let store = durable::open(config, id, &self.limits).await?;
                Ok(builder.store(store))
            }
        }
    }
}
