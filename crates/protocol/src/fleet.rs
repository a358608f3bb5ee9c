//! What a Backend says of all its Runtimes.

use serde::{Deserialize, Serialize};

use crate::{
    BootId, Capability, Code, Diagnostic, Limits, PageToken, Profile, Reason, RuntimeId, Timestamp,
    WorkerCounts, WorkerSummary,
};

/// `GET /api/runtimes`: what the Backend knows, without asking anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeList {
    /// The visible Runtimes, by rising id.
    pub runtimes: Vec<RuntimeEntry>,
}

/// What the Backend knows of one Runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeEntry {
    /// Its name in every address.
    pub runtime_id: RuntimeId,
    /// A name for people.
    pub display_name: String,
    /// Where it runs.
    pub source: Source,
    /// How it is, derived when read.
    pub status: RuntimeStatus,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// How old what is said here is, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// How it last failed, until it answers again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// Whether it is asked at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<CircuitView>,
    /// What it can do, as last seen.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub capabilities: Vec<Capability>,
    /// The version of its contract, as last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Its start, as last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<BootId>,
    /// How many Workers it has, as last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkerCounts>,
}

/// `GET /api/runtimes/{runtime_id}`: the entry, and what else was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeDetail {
    /// What the list says, too.
    #[serde(flatten)]
    pub entry: RuntimeEntry,
    /// What its Workers can run.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub profiles: Vec<Profile>,
    /// What it bounds; absent before it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What an operator should know.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Where a Runtime runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Inside the Backend.
    Embedded,
    /// In a process of its own.
    Remote,
}

/// How a Runtime is, as far as the Backend can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuntimeStatus {
    /// It answered lately and takes commands.
    Online,
    /// It cannot be reached.
    Offline,
    /// It can be reached, but not all is well with it.
    Degraded,
    /// It was not asked yet, or too long ago.
    Unknown,
}

impl RuntimeStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
        }
    }
}

/// How a Runtime last failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastError {
    /// What went wrong.
    pub code: Code,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When.
    pub at: Timestamp,
}

/// Whether a Runtime is asked at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CircuitView {
    /// The state of the circuit.
    pub state: CircuitState,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_probe_at: Option<Timestamp>,
}

/// The state of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// Requests go through.
    Closed,
    /// Requests are refused at once.
    Open,
    /// One request is let through to see.
    HalfOpen,
}

impl CircuitState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// `GET /api/workers`: Workers of all visible Runtimes, by `runtime_id`, then `worker_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkerSweep {
    /// The Workers.
    pub workers: Vec<WorkerSummary>,
    /// The Runtimes whose Workers may be missing from this page.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub incomplete: Vec<Incomplete>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<PageToken>,
}

/// A Runtime whose Workers may be missing from a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incomplete {
    /// Which.
    pub runtime_id: RuntimeId,
    /// Why.
    pub code: Code,
}
