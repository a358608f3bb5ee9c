//! What the Backend promises, checked from outside: over its real router, with an embedded
//! Runtime, a remote one, and one that is not what it says.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

#[path = "../../../../tests/answers/mod.rs"]
mod answers;
mod audit;
mod complete;
mod config;
mod coverage;
mod cursors;
mod double;
mod drain;
mod faults;
mod fuzz;
mod guards;
mod heard;
mod hub;
mod isolation;
mod kept;
mod leak;
mod link;
mod operations;
mod policy;
mod presence;
mod resume;
mod routes;
mod snapshots;
mod snapshots_commands;
mod snapshots_edge;
mod snapshots_faults;
mod snapshots_streams;
mod support;
mod sweep;
mod telemetry;
mod watch;
