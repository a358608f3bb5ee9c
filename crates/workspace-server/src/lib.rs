//! The yoi Backend: one API over embedded and remote Runtimes.
//!
//! Browsers, command lines and other clients connect here and nowhere else. The Backend holds the
//! Runtimes' addresses and credentials, decides by policy, audits commands, and shares one
//! observation of a Worker among all who watch it; it runs nothing and stores no Worker.
//!
//! [`Backend`] is the library: every operation without HTTP. [`router`] puts it on the wire,
//! [`serve`] serves it. A [`RuntimeHandle`] is a Runtime: [`Embedded`] calls the library,
//! [`Remote`] speaks the wire, and nothing above can tell which one it has.
//!
//! ```
//! use yoi_workspace_server::{Backend, Caller, Registration};
//! use worker_runtime::Runtime;
//! use yoi_protocol::{CreateWorker, RuntimeId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let local = RuntimeId::parse("local")?;
//! let runtime = Runtime::builder(local.clone()).start().await?;
//! let backend = Backend::builder()
//!     .runtime(Registration::embedded(runtime))
//!     .build()?;
//! let created = backend
//!     .create_worker(Caller::default(), &local, CreateWorker::default())
//!     .await?;
//! assert_eq!(created.value.runtime_id, local);
//! # Ok(())
//! # }
//! ```

mod api;
mod audit;
mod backend;
mod backoff;
pub mod config;
mod handle;
mod idempotency;
mod observation;
mod policy;
mod presence;
mod registry;
mod scrub;
mod seal;
mod sweep;
mod sync;
mod telemetry;

pub use api::{HttpSettings, Listener, document, router, serve, table};
pub use audit::{Attempt, AuditRecord, AuditRefused, AuditSink, LogAudit};
pub use backend::{Backend, BackendBuilder, BuildError, Caller};
pub use backoff::Backoff;
pub use config::{Plan, StartError};
pub use handle::{
    Applied, BulkheadSettings, CallContext, CircuitSettings, Embedded, ForwardedKey, Remote,
    RemoteError, RemoteSettings, RuntimeHandle, Upstream,
};
pub use observation::{ObservationSettings, Watch, WatchedFrame};
pub use policy::{Decision, Policy, Question, RuntimeRules};
pub use presence::PresenceSettings;
pub use registry::{CallTimeouts, Registration};
pub use seal::{KeyRing, SealKey, SealKeyError};
