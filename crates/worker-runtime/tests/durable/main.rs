//! The process `worker-runtime` with the durable store: killed at any moment, it starts again with
//! all that it acknowledged; and it minds whose folder it is, and what is in it.

mod api;
mod damage;
mod folder;
mod house;
mod kill;
mod watch;

use std::time::Duration;

/// The longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(20);
