//! What a Backend reads of `yoi.toml`, and what it makes of it.

mod file;
mod link;
mod plan;
mod runtimes;
mod secrets;

pub use file::{
    Address, BackendConfig, RuntimeConfig, RuntimeKind, ServerConfig, TimeoutsConfig, TokenConfig,
};
pub use link::{BulkheadConfig, CircuitConfig, RetryConfig};
pub use plan::{Plan, StartError};
