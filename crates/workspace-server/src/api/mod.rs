//! The Backend on the wire: what browsers, command lines and other clients connect to.
//!
//! Handlers extract, call the [`Backend`](crate::Backend) and answer: what an operation means is
//! in the library alone.

mod commands;
mod events;
mod reads;
mod router;
mod routes;
mod serve;
mod state;

pub use router::router;
pub use routes::{document, table};
pub use serve::serve;
pub use yoi_http_kit::{HttpSettings, Listener};
