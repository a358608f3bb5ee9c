//! The Runtime library, behaviour by behaviour, through its public API alone.

mod common;
mod runs;
