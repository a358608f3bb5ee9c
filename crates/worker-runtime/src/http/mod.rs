//! The Runtime on the wire: HTTP, server-sent events, and with `ws-server` WebSockets.
//!
//! Backends connect here; browsers never do, and are refused: they go through a Backend
//! (`yoi-workspace-server`), which holds the credential, the policy and the audit. Handlers
//! extract, call the [`Runtime`](crate::Runtime) and answer: what an operation means is in the
//! library alone.

mod command;
mod handlers;
mod router;
mod routes;
mod serve;
mod sse;
mod state;
#[cfg(feature = "ws-server")]
mod websocket;
#[cfg(not(feature = "ws-server"))]
#[path = "no_websocket.rs"]
mod websocket;

pub use router::router;
pub use routes::{document, table};
pub use serve::serve;
pub use yoi_http_kit::{HttpSettings, Listener};
