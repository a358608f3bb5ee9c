//! The yoi Runtime: runs long-lived agent Workers and keeps their log.
//!
//! A [`Runtime`] is one concrete type with four plain groups of methods: management, catalog and
//! lifecycle, interaction, and observation. It speaks the types of `yoi-protocol`, so a host
//! that embeds it and a server that puts it on the wire have nothing to convert.
//!
//! The log is the truth: a Worker is the fold of its durable events, and a command goes
//! decide → commit → apply → publish. What memory says is never ahead of what the [`Store`] holds,
//! and what observers see is never ahead of either.
//!
//! Browsers never connect here: they go through the Backend (`yoi-workspace-server`).
//!
//! ```
//! use worker_runtime::{CommandContext, Runtime};
//! use yoi_protocol::{CreateWorker, InputRequest, RuntimeId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::builder(RuntimeId::parse("local")?).start().await?;
//! let worker = runtime
//!     .create_worker(CreateWorker::default(), CommandContext::default())
//!     .await?
//!     .value;
//! let accepted = runtime
//!     .send_input(&worker.worker_id, InputRequest::new("hello"), CommandContext::default())
//!     .await?
//!     .value;
//! assert_eq!(accepted.sequence, 1);
//! # Ok(())
//! # }
//! ```

mod clock;
pub mod config;
mod error;
pub mod executor;
pub mod fold;
#[cfg(feature = "http-server")]
pub mod http;
mod idempotency;
mod ids;
mod profile;
mod quota;
pub mod runtime;
#[cfg(feature = "http-server")]
pub mod serve;
mod size;
pub mod store;
mod sync;
mod token;
mod until;

pub use clock::{Clock, SystemClock};
pub use error::{RuntimeError, StartError};
pub use executor::{
    CommandExecutor, CommandSettings, EchoExecutor, Executor, ExecutorUnavailable, OutputClosed,
    RunContext, RunEnd, RunFuture, RunOutput,
};
pub use fold::{FoldError, WorkerState};
pub use ids::{IdSource, RandomIds};
pub use profile::{ProfileConfig, ProfileError, ProfileSpec};
pub use runtime::{
    Applied, CommandContext, Observation, ObservedFrame, Readiness, Runtime, RuntimeBuilder,
};
pub use store::{Condition, MemoryStore, Store, StoreError};
