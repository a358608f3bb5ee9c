//! The client against peers that do what networks and servers do.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod answers;
mod classify_table;
mod config;
mod credential;
mod events;
mod link;
mod peer;
mod resend;
mod retry_table;
mod seam;
mod secrets;
mod support;
mod tls;
