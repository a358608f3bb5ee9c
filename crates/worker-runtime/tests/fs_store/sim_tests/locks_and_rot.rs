//! Locks that end with their machine, and damage.

use worker_runtime::store::fs::disk::{Disk, Held, Lock};

use super::{durable, names, read};
use crate::sim::{Loss, SimDisk};

fn locked(disk: &SimDisk) -> Held {
    match disk.lock("lock", "me").unwrap() {
        Lock::Taken(held) => held,
        Lock::Busy(holder) => panic!("{holder} has it"),
    }
}

#[test]
fn a_lock_ends_with_its_process() {
    let disk = SimDisk::new();
    let held = locked(&disk);
    let (next, after) = (disk.killed(), disk.power_loss(Loss::Nothing));
    let _held = (locked(&next), locked(&after), locked(&disk.deep_clone()));
    drop(held);
    let busy = next.lock("lock", "you").unwrap();
    assert!(matches!(busy, Lock::Busy(holder) if holder == "me"));
    locked(&disk);
}

#[test]
fn what_a_lock_says_is_durable_and_its_name_is_not() {
    let disk = SimDisk::new();
    let _held = locked(&disk);
    assert_eq!(disk.pieces(), ["create lock"]);
    disk.sync_folder().unwrap();
    assert_eq!(read(&disk.power_loss(Loss::Everything), "lock"), b"me");
}

#[test]
fn damage_is_read_at_once_and_stays() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", &[0; 4]);
    file.write_at(&[1], 3).unwrap();
    disk.flip("a", 1, 7);
    let mut bytes = [0; 4];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes, [0, 128, 0, 1]);
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), bytes);

    disk.overwrite("a", 3, b"xyz");
    assert_eq!(read(&disk, "a"), b"\0\x80\0xyz");
    disk.cut("a", 2);
    assert_eq!(file.size().unwrap(), 2);
    file.write_at(b"!", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"!\x80");
}

#[test]
fn a_file_that_is_gone_stays_gone() {
    let disk = SimDisk::new();
    durable(&disk, "a", b"1");
    durable(&disk, "b", b"2");
    let file = disk.open("a").unwrap();
    disk.delete("a");
    assert_eq!(file.size().unwrap(), 1);
    assert_eq!(names(&disk), ["b"]);
    assert_eq!(names(&disk.power_loss(Loss::Everything)), ["b"]);

    disk.create("c").unwrap();
    disk.rename("b", "d").unwrap();
    disk.delete("c");
    disk.delete("d");
    assert_eq!(names(&disk), [""; 0]);
    for (loss, after) in disk.power_losses() {
        assert_eq!(names(&after), [""; 0], "{loss:?}");
    }
}

#[test]
fn a_copy_is_another_disk() {
    let disk = SimDisk::new();
    disk.create("a").unwrap().write_at(b"1", 0).unwrap();
    let copy = disk.deep_clone();
    let same = disk.clone();
    same.overwrite("a", 0, b"2");
    assert_eq!(
        (read(&disk, "a"), read(&copy, "a")),
        (b"2".into(), b"1".into())
    );
    assert_eq!(copy.power_loss(Loss::Everything).files(), copy.files());
    assert_eq!(SimDisk::from_files(copy.files()).files(), copy.files());
    assert_eq!(copy.used(), 1024);
}
