//! The locks whose every interleaving is tried: the standard ones, unless built to be tried.

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(all(test, shuttle))]
pub(crate) use yoi_interleavings::{Mutex, MutexGuard};
