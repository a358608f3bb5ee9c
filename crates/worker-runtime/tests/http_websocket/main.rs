//! Observation over WebSockets, on real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

#[path = "../../../../tests/answers/mod.rs"]
mod answers;
mod client;
mod drain;
mod observe;
mod snapshots;
#[path = "../http_support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests over HTTP")]
mod support;
