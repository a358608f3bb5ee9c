//! The wire written down, and Runtimes that are not there.

mod fixtures;
mod runtime;
