//! What can be asked of a Runtime, and what a Runtime says it can do.

use serde::{Deserialize, Serialize};

/// One operation on Workers, named as in capabilities, policies and problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Operation {
    /// List the Workers of a Runtime.
    #[serde(rename = "workers.list")]
    ListWorkers,
    /// Show one Worker.
    #[serde(rename = "workers.get")]
    GetWorker,
    /// Create a Worker.
    #[serde(rename = "workers.create")]
    CreateWorker,
    /// Send a Worker an input.
    #[serde(rename = "workers.input")]
    SendInput,
    /// Cancel a Worker's active run.
    #[serde(rename = "workers.cancel")]
    Cancel,
    /// Stop a Worker for good.
    #[serde(rename = "workers.stop")]
    Stop,
    /// Read a Worker's transcript.
    #[serde(rename = "workers.transcript")]
    Transcript,
    /// Observe a Worker's events.
    #[serde(rename = "events")]
    Events,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::ListWorkers,
        Self::GetWorker,
        Self::CreateWorker,
        Self::SendInput,
        Self::Cancel,
        Self::Stop,
        Self::Transcript,
        Self::Events,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ListWorkers => "workers.list",
            Self::GetWorker => "workers.get",
            Self::CreateWorker => "workers.create",
            Self::SendInput => "workers.input",
            Self::Cancel => "workers.cancel",
            Self::Stop => "workers.stop",
            Self::Transcript => "workers.transcript",
            Self::Events => "events",
        }
    }

    /// Whether it changes anything. Errors of commands carry an effect; reads may always be
    /// repeated.
    #[must_use]
    pub const fn is_command(self) -> bool {
        match self {
            Self::CreateWorker | Self::SendInput | Self::Cancel | Self::Stop => true,
            Self::ListWorkers | Self::GetWorker | Self::Transcript | Self::Events => false,
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that a Runtime says it can do: an [`Operation`], or a way of doing it.
///
/// Open on purpose: a newer Runtime may list what this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(transparent)]
pub struct Capability(std::borrow::Cow<'static, str>);

impl Capability {
    /// Observation over a WebSocket.
    pub const EVENTS_WS: Self = Self::known("events.ws");
    /// Observation over server-sent events.
    pub const EVENTS_SSE: Self = Self::known("events.sse");
    /// Commands may carry an idempotency key.
    pub const IDEMPOTENCY: Self = Self::known("idempotency");

    const fn known(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Operation> for Capability {
    fn from(operation: Operation) -> Self {
        Self::known(operation.as_str())
    }
}
