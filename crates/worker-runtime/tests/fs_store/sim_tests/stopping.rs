//! A machine that is turned off.

use worker_runtime::store::fs::disk::{Disk, Lock};

use super::{durable, read};
use crate::sim::{Loss, SimDisk};

#[test]
fn nothing_is_done_once_the_machine_is_off() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"old");
    let held = disk.lock("lock", "me").unwrap();
    disk.stop_at(disk.ops().len() + 1);
    file.write_at(b"new", 0).unwrap();
    assert!(!disk.stopped());
    file.sync().unwrap_err();
    assert!(disk.stopped());
    file.write_at(b"!!!", 0).unwrap_err();
    file.read_at(&mut [0], 0).unwrap_err();
    disk.create("b").unwrap_err();
    disk.list().unwrap_err();
    disk.lock("other", "me").unwrap_err();
    assert_eq!(disk.ops().len(), 6, "who is off counts nothing");
    assert_eq!(read(&disk, "a"), b"new");
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"old");

    drop((file, held));
    let after = disk.power_loss(Loss::Nothing);
    assert_eq!(read(&after, "a"), b"new");
    let lock = after.lock("lock", "me").unwrap();
    assert!(matches!(lock, Lock::Taken(_)), "and it is on again");
}

#[test]
fn a_machine_that_is_never_reached_is_not_off() {
    let disk = SimDisk::new();
    disk.stop_at(1);
    disk.list().unwrap();
    assert!(!disk.stopped());
}
