//! The wire written down, and Runtimes that are not there.

mod events;
mod fixtures;
mod runtime;
mod shapes;
