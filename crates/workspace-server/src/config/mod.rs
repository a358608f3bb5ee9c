//! What a Backend reads of `yoi.toml`, and what it makes of it.

mod file;
mod plan;
mod runtimes;
mod secrets;

pub use file::{
    Address, BackendConfig, RuntimeConfig, RuntimeKind, ServerConfig, TimeoutsConfig, TokenConfig,
};
pub use plan::{Plan, StartError};
