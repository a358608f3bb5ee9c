//! The store that survives its process: one log of all Workers in files.

pub mod disk;
