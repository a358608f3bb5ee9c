//! The Runtime API over HTTP, on real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

#[path = "../../../../tests/answers/mod.rs"]
mod answers;
mod commands;
mod coverage;
mod deadline;
mod drain;
mod limits;
mod problems;
mod ready;
mod refused;
mod routes;
mod snapshots;
mod snapshots_commands;
mod snapshots_edge;
mod snapshots_reads;
mod sse;
#[path = "../http_support/mod.rs"]
mod support;
