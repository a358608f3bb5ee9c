//! What a Runtime says of itself.

use serde::{Deserialize, Serialize};

use crate::{BootId, Capability, Limits, RuntimeId, Timestamp};

/// `GET /v1/runtime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeInfo {
    /// Its name in every address.
    pub runtime_id: RuntimeId,
    /// This start of it.
    pub boot_id: BootId,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The version of the contract: `v1`.
    pub api_version: String,
    /// The version of the software.
    pub version: String,
    /// Whether it takes commands.
    pub status: RuntimeState,
    /// The kind of store: `memory`, `fs`, …
    pub store: String,
    /// What it can do.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub capabilities: Vec<Capability>,
    /// What its Workers can run.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub profiles: Vec<Profile>,
    /// How many Workers it has.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub workers: WorkerCounts,
    /// What it bounds, and to what.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub limits: Limits,
    /// When this start began.
    pub started_at: Timestamp,
    /// What an operator should know.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a Runtime takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuntimeState {
    /// It does.
    Running,
    /// It is shutting down: reads go on, commands are refused.
    Draining,
}

/// Something that a Worker can run, known to callers by its name alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// What a caller names in `CreateWorker`.
    pub name: String,
    /// The executor behind it: `echo`, `command`, …
    pub executor: String,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How many Workers a Runtime has, by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct WorkerCounts {
    /// All it remembers.
    #[serde(deserialize_with = "crate::absent::or_default")]
    pub total: u64,
    /// Those that wait for an input.
    #[serde(deserialize_with = "crate::absent::or_default")]
    pub idle: u64,
    /// Those with an active run.
    #[serde(deserialize_with = "crate::absent::or_default")]
    pub running: u64,
    /// Those that are stopped for good.
    #[serde(deserialize_with = "crate::absent::or_default")]
    pub stopped: u64,
}

/// Something that an operator or an observer should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for programs.
    pub code: String,
    /// What it is, for people.
    pub message: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Something does not work.
    Error,
}
