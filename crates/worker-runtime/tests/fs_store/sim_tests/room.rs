//! A disk that is full.

use std::io::{self, ErrorKind};

use worker_runtime::store::fs::disk::Disk;

use super::{names, read};
use crate::sim::{Loss, SECTOR, SimDisk};

fn full<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::StorageFull)
}

fn sectors(disk: &SimDisk) -> u64 {
    disk.used() / SECTOR
}

/// Lets so many more sectors be taken.
fn leave(disk: &SimDisk, sectors: u64) {
    disk.set_capacity(disk.used() + sectors * SECTOR);
}

#[test]
fn a_write_fills_what_room_there_is() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(&[1; 100], 0).unwrap();
    leave(&disk, 1);
    assert!(full(file.write_at(&[2; 2000], 100)));
    assert_eq!(read(&disk, "a"), [vec![1; 100], vec![2; 924]].concat());
    assert!(full(file.write_at(b"x", 1024)));
    assert_eq!(file.size().unwrap(), 1024);
    file.write_at(&[3; 1024], 0).unwrap();
    leave(&disk, 3);
    file.write_at(&[2; 1300], 1024).unwrap();
}

#[test]
fn room_is_taken_as_a_whole_or_not_at_all_and_then_is_there() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(&[1; 10], 512).unwrap();
    leave(&disk, 2);
    assert!(full(file.allocate(4 * 512)));
    assert_eq!(file.size().unwrap(), 522);
    file.allocate(3 * 512).unwrap();
    file.write_at(&[2; 3 * 512], 0).unwrap();
    assert!(full(file.write_at(&[2], 3 * 512)));
}

#[test]
fn a_file_that_is_only_longer_takes_no_room() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    leave(&disk, 1);
    file.set_size(5000).unwrap();
    file.write_at(b"x", 4000).unwrap();
    assert!(full(file.write_at(b"x", 0)));
    assert!(full(file.write_at(b"x", 100)));
    assert_eq!(sectors(&disk), 2);
    file.allocate(5000).unwrap();
    assert_eq!(sectors(&disk), 2, "nor when it is long enough already");
    file.set_size(3000).unwrap();
    file.write_at(b"x", 0).unwrap();
}

#[test]
fn a_name_takes_room() {
    let disk = SimDisk::new();
    disk.set_capacity(2 * SECTOR);
    disk.create("a").unwrap();
    disk.create("b").unwrap();
    assert!(full(disk.create("c")));
    assert!(full(disk.lock("lock", "me")));
    assert_eq!(names(&disk), ["a", "b"]);
    disk.rename("a", "b").unwrap();
    disk.create("c").unwrap();
}

#[test]
fn a_file_gives_its_room_back_when_nobody_has_it() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(&[1; 1000], 0).unwrap();
    assert_eq!(sectors(&disk), 3);
    disk.remove("a").unwrap();
    assert_eq!(sectors(&disk), 3);
    assert_eq!(sectors(&disk.killed()), 0, "the dead have nothing open");
    drop(file);
    assert_eq!(sectors(&disk), 0);
}

#[test]
fn a_disk_is_as_large_after_a_power_loss() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.allocate(1024).unwrap();
    leave(&disk, 0);
    let after = disk.power_loss(Loss::Nothing);
    let file = after.open("a").unwrap();
    file.write_at(&[1; 1024], 0).unwrap();
    assert!(full(file.write_at(&[1], 1024)));
    assert!(full(disk.killed().create("b")));
}
