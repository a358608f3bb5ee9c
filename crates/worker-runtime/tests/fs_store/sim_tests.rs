//! The disk in memory does what the tests of the store take for granted.

mod failing;
mod folder_loss;
mod locks_and_rot;
mod power_loss;
mod replacing;
mod room;
mod stopping;
mod syncing;

use worker_runtime::store::fs::disk::{Disk, DiskFile};

use crate::sim::SimDisk;

/// Makes a file that is durable, its name too.
fn durable(disk: &SimDisk, name: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
    let file = disk.create(name).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    file
}

fn read(disk: &SimDisk, name: &str) -> Vec<u8> {
    disk.files().remove(name).unwrap()
}

fn names(disk: &SimDisk) -> Vec<String> {
    disk.files().into_keys().collect()
}
