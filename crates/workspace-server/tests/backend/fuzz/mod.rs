//! Whatever comes from outside: frames of a Runtime that come twice, late, spoiled or not at all,
//! answers that are none, cursors and configuration that nobody wrote. Nobody panics or hangs,
//! nothing is told that is not the contract, and what can be mended is.
//!
//! Each test tries a few cases. `YOI_FUZZ_SECONDS=n` goes on for so long, `YOI_SEED=n` begins with
//! the case that a failure names.

#![allow(
    clippy::print_stdout,
    reason = "how much was tried is told where somebody asks for more"
)]

mod answers;
mod config;
mod cursors;
mod frames;
mod spoil;
mod told;
