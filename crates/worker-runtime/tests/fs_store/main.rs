//! The durable store, on disks that fail, lose power and rot.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot go on without, it may demand"
)]

mod contract;
mod cuts;
mod disks_agree;
mod failures;
mod formats;
mod flips;
mod history;
mod power;
mod repairs;
mod refused;
mod sim;
mod sim_tests;
