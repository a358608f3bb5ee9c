//! The durable store, on disks that fail, lose power and rot.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

mod contract;
mod cuts;
mod disks_agree;
mod failures;
mod flips;
mod formats;
mod fuzz;
mod history;
mod power;
mod refused;
mod repairs;
mod retention;
mod sim;
mod sim_tests;
mod taken;
