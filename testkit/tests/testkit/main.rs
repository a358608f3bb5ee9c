//! The testkit, tested: a tool that cannot fail would be no test.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod backend;
mod browser;
mod panics;
mod process;
mod restart;
mod runtime;
mod store;
mod time;
mod tools;
mod watch;
