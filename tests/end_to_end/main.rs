//! End to end, over real processes: a Backend with an embedded Runtime and a remote one.

mod alike;
mod api;
mod house;
mod isolation;
