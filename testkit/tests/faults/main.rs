//! Each fault, once, on a link to a real Runtime: it happens, it means what the contract's table
//! says, and it is over when it is undone.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod guard;
mod honest;
mod inside;
mod link;
mod passing;
mod raw_peer;
mod rig;
mod stream;
