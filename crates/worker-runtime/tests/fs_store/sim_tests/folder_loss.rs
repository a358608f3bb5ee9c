//! What a power loss leaves of the names.

use std::collections::BTreeSet;

use worker_runtime::store::fs::disk::Disk;

use super::{durable, names, read};
use crate::sim::{Loss, SimDisk};

/// Which files there may be after a power loss, each as `name=text`.
fn outcomes(disk: &SimDisk) -> BTreeSet<String> {
    let tell = |(name, bytes)| format!("{name}={}", String::from_utf8(bytes).unwrap());
    let after = disk.power_losses();
    after
        .map(|(_, after)| {
            let told: Vec<_> = after.files().into_iter().map(tell).collect();
            told.join(" ")
        })
        .collect()
}

fn set<const N: usize>(outcomes: [&str; N]) -> BTreeSet<String> {
    outcomes.map(str::to_owned).into()
}

#[test]
fn a_synced_file_is_lost_with_its_name() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(disk.pieces(), ["create a"]);
    assert_eq!(outcomes(&disk), set(["", "a=x"]));
    disk.sync_folder().unwrap();
    assert_eq!(outcomes(&disk), set(["a=x"]));
}

#[test]
fn a_synced_name_may_have_nothing_in_it() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(b"x", 0).unwrap();
    disk.sync_folder().unwrap();
    assert_eq!(outcomes(&disk), set(["a=", "a=\0", "a=x"]));
}

#[test]
fn a_rename_is_done_or_not() {
    let disk = SimDisk::new();
    durable(&disk, "new", b"new");
    durable(&disk, "name", b"old");
    disk.rename("new", "name").unwrap();
    assert_eq!(outcomes(&disk), set(["name=old new=new", "name=new"]));
    disk.sync_folder().unwrap();
    assert_eq!(outcomes(&disk), set(["name=new"]));
}

#[test]
fn a_file_may_have_its_last_name_and_never_the_first() {
    let disk = SimDisk::new();
    disk.create("a").unwrap();
    disk.rename("a", "b").unwrap();
    let renamed = disk.power_loss(Loss::AllBut(0b10));
    assert_eq!(names(&renamed), ["b"]);
    assert_eq!(outcomes(&disk), set(["", "a=", "b="]));
}

#[test]
fn a_file_has_one_name_whatever_was_lost() {
    let disk = SimDisk::new();
    durable(&disk, "a", b"x");
    disk.rename("a", "b").unwrap();
    disk.rename("b", "c").unwrap();
    assert_eq!(outcomes(&disk), set(["a=x", "b=x", "c=x"]));
}

#[test]
fn names_change_in_any_order() {
    let disk = SimDisk::new();
    durable(&disk, "a", b"1");
    disk.create("b").unwrap();
    disk.remove("a").unwrap();
    assert_eq!(outcomes(&disk), set(["a=1", "", "a=1 b=", "b="]));
}

#[test]
fn a_rename_takes_the_first_name_away_whoever_has_it() {
    let disk = SimDisk::new();
    durable(&disk, "a", b"old");
    disk.remove("a").unwrap();
    disk.create("a").unwrap();
    disk.rename("a", "b").unwrap();
    let renamed = disk.power_loss(Loss::AllBut(0b100));
    assert_eq!(names(&renamed), ["b"]);
}

#[test]
fn a_file_that_was_there_for_a_moment_may_be_there() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    disk.remove("a").unwrap();
    drop(file);
    assert_eq!(outcomes(&disk), set(["", "a=x"]));
}

#[test]
fn a_removed_file_may_come_back_as_it_was() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"old");
    file.write_at(b"new", 0).unwrap();
    disk.remove("a").unwrap();
    drop(file);
    disk.create("a").unwrap().write_at(b"x", 0).unwrap();
    let back = disk.power_loss(Loss::Everything);
    assert_eq!(read(&back, "a"), b"old");
    assert!(outcomes(&disk).contains("a=new"));
    disk.sync_folder().unwrap();
    assert_eq!(outcomes(&disk), set(["a=", "a=\0", "a=x"]));
}
