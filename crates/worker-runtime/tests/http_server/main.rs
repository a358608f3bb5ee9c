//! The Runtime API over HTTP, on real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

mod commands;
mod deadline;
mod drain;
mod limits;
mod problems;
mod refused;
mod routes;
mod snapshots;
mod sse;
#[path = "../http_support/mod.rs"]
mod support;
