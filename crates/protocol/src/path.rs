//! Every URL of the contract: the templates that routers mount and the paths that clients ask for.

use crate::{RuntimeId, WorkerId};

/// Templates of the Runtime API.
pub mod runtime {
    /// What the Runtime says of itself.
    pub const RUNTIME: &str = "/v1/runtime";
    /// Its Workers.
    pub const WORKERS: &str = "/v1/workers";
    /// One Worker.
    pub const WORKER: &str = "/v1/workers/{worker_id}";
    /// Inputs to a Worker.
    pub const INPUT: &str = "/v1/workers/{worker_id}/input";
    /// Cancels a Worker's run.
    pub const CANCEL: &str = "/v1/workers/{worker_id}/cancel";
    /// Stops a Worker.
    pub const STOP: &str = "/v1/workers/{worker_id}/stop";
    /// What was said.
    pub const TRANSCRIPT: &str = "/v1/workers/{worker_id}/transcript";
    /// Events over a WebSocket.
    pub const EVENTS_WS: &str = "/v1/workers/{worker_id}/events/ws";
    /// Events as server-sent events.
    pub const EVENTS: &str = "/v1/workers/{worker_id}/events";
    /// The API's own description.
    pub const OPENAPI: &str = "/v1/openapi.json";
}

/// Templates of the Backend API.
pub mod backend {
    /// All Runtimes.
    pub const RUNTIMES: &str = "/api/runtimes";
    /// One Runtime.
    pub const RUNTIME: &str = "/api/runtimes/{runtime_id}";
    /// The Workers of all Runtimes.
    pub const ALL_WORKERS: &str = "/api/workers";
    /// The Workers of one Runtime.
    pub const WORKERS: &str = "/api/runtimes/{runtime_id}/workers";
    /// One Worker.
    pub const WORKER: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}";
    /// Inputs to a Worker.
    pub const INPUT: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/input";
    /// Cancels a Worker's run.
    pub const CANCEL: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/cancel";
    /// Stops a Worker.
    pub const STOP: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/stop";
    /// What was said.
    pub const TRANSCRIPT: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/transcript";
    /// Events over a WebSocket.
    pub const EVENTS_WS: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/events/ws";
    /// Events as server-sent events.
    pub const EVENTS: &str = "/api/runtimes/{runtime_id}/workers/{worker_id}/events";
    /// The API's own description.
    pub const OPENAPI: &str = "/api/openapi.json";
}

/// Whether the process lives.
pub const HEALTHZ: &str = "/healthz";
/// Whether it can serve.
pub const READYZ: &str = "/readyz";
/// Its metrics, as Prometheus text.
pub const METRICS: &str = "/metrics";

/// Which API a client speaks to. The operations and bodies are the same, the prefix differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Api {
    /// A Runtime, directly.
    Runtime,
    /// One Runtime through a Backend.
    Backend(RuntimeId),
}

impl Api {
    /// What is said of the Runtime.
    #[must_use]
    pub fn runtime(&self) -> String {
        match self {
            Self::Runtime => runtime::RUNTIME.to_owned(),
            Self::Backend(runtime_id) => format!("{}/{runtime_id}", backend::RUNTIMES),
        }
    }

    /// Its Workers.
    #[must_use]
    pub fn workers(&self) -> String {
        match self {
            Self::Runtime => runtime::WORKERS.to_owned(),
            Self::Backend(runtime_id) => format!("{}/{runtime_id}/workers", backend::RUNTIMES),
        }
    }

    /// One Worker.
    #[must_use]
    pub fn worker(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}", self.workers())
    }

    /// Inputs to a Worker.
    #[must_use]
    pub fn input(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/input", self.workers())
    }

    /// Cancels a Worker's run.
    #[must_use]
    pub fn cancel(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/cancel", self.workers())
    }

    /// Stops a Worker.
    #[must_use]
    pub fn stop(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/stop", self.workers())
    }

    /// What was said.
    #[must_use]
    pub fn transcript(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/transcript", self.workers())
    }

    /// Events over a WebSocket.
    #[must_use]
    pub fn events_ws(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/events/ws", self.workers())
    }

    /// Events as server-sent events.
    #[must_use]
    pub fn events(&self, worker_id: &WorkerId) -> String {
        format!("{}/{worker_id}/events", self.workers())
    }
}
