//! The Runtime library, behaviour by behaviour, through its public API alone.
#![allow(clippy::unwrap_used, reason = "what the tests share is a test, too")]

mod catalog;
mod command_executor;
mod common;
mod deadlines;
mod drain;
mod endings;
mod idempotency;
mod limits;
mod observe;
mod profiles;
mod recovery;
mod runs;
mod store_failure;
mod transcript;
