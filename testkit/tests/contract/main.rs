//! The contract suites: every part of this project keeps them, and nothing that breaks a promise
//! gets past them.

mod broken_answers;
mod broken_disks;
mod broken_restarts;
mod broken_stores;
mod broken_subjects;
mod broken_wire;
mod every_check;
mod hanging;
mod kept;
mod lasting;
mod nobody;
mod other_ways;
mod secrets;
mod stores;
mod tampered;
