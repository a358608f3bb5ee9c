//! The Runtime library, behaviour by behaviour, through its public API alone.
#![allow(clippy::unwrap_used, reason = "what the tests share is a test, too")]

mod catalog;
mod command_executor;
mod common;
mod deadlines;
mod drain;
mod endings;
mod forgetting;
mod idempotency;
mod limits;
mod observe;
mod output;
mod profiles;
mod reading;
mod recovery;
mod runs;
mod store_failure;
mod transcript;
