//! Syncs that fail.

use std::io::ErrorKind;

use worker_runtime::store::fs::disk::{Disk, DiskFile};

use super::{durable, names, read};
use crate::sim::{Failure, Fault, Kind, Loss, Nth, SimDisk};

fn failing(disk: &SimDisk, kind: Kind, loss: Option<Loss>) -> Fault {
    let failure = Failure::error(ErrorKind::Other);
    let failure = loss.map_or(failure, |loss| failure.losing(loss));
    disk.fail(Nth::of(kind, 0), failure)
}

/// A file of two sectors, of which one sync has failed and one has not.
fn synced_again(loss: Option<Loss>) -> (SimDisk, Box<dyn DiskFile>) {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", &[0; 1024]);
    file.write_at(&[1; 1024], 0).unwrap();
    let _fault = failing(&disk, Kind::Sync, loss);
    file.sync().unwrap_err();
    file.sync().unwrap();
    (disk, file)
}

#[test]
fn what_a_failed_sync_loses_no_later_one_brings_back() {
    let (disk, file) = synced_again(Some(Loss::Everything));
    assert_eq!(read(&disk, "a"), [1; 1024], "it is still read");
    assert_eq!(disk.killed().files(), disk.files());
    assert_eq!(read(&disk.power_loss(Loss::Nothing), "a"), [0; 1024]);

    file.write_at(b"2", 0).unwrap();
    file.sync().unwrap();
    let after = read(&disk.power_loss(Loss::Everything), "a");
    assert_eq!((after[0], after[1], after[512]), (b'2', 1, 0));
}

#[test]
fn a_failed_sync_may_lose_a_part() {
    let (disk, _) = synced_again(Some(Loss::AllBut(0b10)));
    let after = read(&disk.power_loss(Loss::Nothing), "a");
    assert_eq!(after, [[0; 512], [1; 512]].concat());
}

#[test]
fn a_failed_sync_may_leave_all_to_the_next() {
    let (disk, _) = synced_again(None);
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), [1; 1024]);
}

#[test]
fn a_failed_sync_loses_nothing_of_another_file() {
    let disk = SimDisk::new();
    let (a, b) = (durable(&disk, "a", b"1"), durable(&disk, "b", b"1"));
    a.write_at(b"2", 0).unwrap();
    b.write_at(b"2", 0).unwrap();
    disk.create("c").unwrap();
    let _fault = failing(&disk, Kind::Sync, Some(Loss::Everything));
    a.sync().unwrap_err();
    assert_eq!(disk.pieces(), ["b: write 0..1", "create c"]);
}

#[test]
fn a_name_can_be_lost_like_that_too() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    let _fault = failing(&disk, Kind::SyncFolder, Some(Loss::Everything));
    disk.sync_folder().unwrap_err();
    disk.sync_folder().unwrap();
    drop(file);
    assert_eq!(read(&disk, "a"), b"x", "it is still there");
    assert_eq!(names(&disk.power_loss(Loss::Nothing)), [""; 0]);
    disk.rename("a", "b").unwrap();
    disk.sync_folder().unwrap();
    assert_eq!(read(&disk.power_loss(Loss::Everything), "b"), b"x");
}
