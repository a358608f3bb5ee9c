//! Tries every interleaving of a small model: tasks that share what observation shares.
//!
//! The code that is tried is the product's own, built with `--cfg shuttle` so that its locks are
//! `Mutex`, and driven by the unit tests named `interleavings`. Whatever is done under a lock,
//! and whatever is done between two of them, is one step; after each any task may go on. What
//! tasks share beside locks is tokio's (`Notify`, `watch`), and used between two of them. Weak
//! memory orders are not tried, and no time passes.

#[cfg(shuttle)]
mod explore;
#[cfg(shuttle)]
mod lock;
#[cfg(shuttle)]
mod told;

#[cfg(shuttle)]
pub use explore::{every, some};
#[cfg(shuttle)]
pub use lock::{Grain, Mutex, MutexGuard, set, turn};
#[cfg(shuttle)]
pub use shuttle::future::spawn;
#[cfg(shuttle)]
pub use told::{Joined, Step, Told, Until};
