//! What http-kit promises to both servers, checked from outside.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

mod cors;
mod edge;
mod extract;
mod guard;
mod leaks;
mod observe;
mod openapi;
mod server;
mod sse;
mod support;
mod tokens;
mod websocket;
