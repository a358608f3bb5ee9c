//! What every disk does, and the one in memory no other than that of the operating system.

mod at_random;

use std::io::ErrorKind;

use worker_runtime::store::fs::disk::{Disk, DiskFile, Lock, OsDisk};

use crate::sim::SimDisk;

fn on_both(test: impl Fn(&dyn Disk)) {
    test(&SimDisk::new());
    let folder = tempfile::tempdir().unwrap();
    test(&OsDisk::open(folder.path()).unwrap());
}

fn contents(file: &dyn DiskFile) -> Vec<u8> {
    let mut bytes = vec![9; 4096];
    let read = file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(read as u64, file.size().unwrap());
    bytes.truncate(read);
    bytes
}

fn file(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
    let file = disk.create(name).unwrap();
    file.write_at(bytes, 0).unwrap();
    file
}

fn names(disk: &dyn Disk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.sort();
    names
}

#[test]
fn a_file_is_made_once_and_opened_as_often_as_asked() {
    on_both(|disk| {
        assert_eq!(disk.open("a").unwrap_err().kind(), ErrorKind::NotFound);
        file(disk, "a", b"first");
        let taken = disk.create("a").unwrap_err().kind();
        assert_eq!(taken, ErrorKind::AlreadyExists);
        let (one, two) = (disk.open("a").unwrap(), disk.open("a").unwrap());
        one.write_at(b"F", 0).unwrap();
        assert_eq!(contents(&*two), b"First");
    });
}

#[test]
fn reading_ends_where_the_file_does() {
    on_both(|disk| {
        let file = file(disk, "a", b"0123456789");
        let mut bytes = [0; 4];
        assert_eq!(file.read_at(&mut bytes, 8).unwrap(), 2);
        assert_eq!(&bytes, b"89\0\0");
        assert_eq!(file.read_at(&mut bytes, 10).unwrap(), 0);
        assert_eq!(file.read_at(&mut bytes, 1000).unwrap(), 0);
        assert_eq!(file.read_at(&mut [], 0).unwrap(), 0);
    });
}

#[test]
fn a_write_past_the_end_leaves_zeros_between() {
    on_both(|disk| {
        let file = file(disk, "a", b"x");
        file.write_at(b"y", 1000).unwrap();
        let mut expected = vec![0; 1001];
        (expected[0], expected[1000]) = (b'x', b'y');
        assert_eq!(contents(&*file), expected);
        file.write_at(b"", 2000).unwrap();
        assert_eq!(file.size().unwrap(), 1001, "nothing is written nowhere");
    });
}

#[test]
fn a_file_is_cut_and_filled_with_zeros() {
    on_both(|disk| {
        let file = file(disk, "a", b"abcdef");
        file.set_size(3).unwrap();
        assert_eq!(contents(&*file), b"abc");
        file.set_size(6).unwrap();
        assert_eq!(contents(&*file), b"abc\0\0\0");
        file.set_size(0).unwrap();
        assert_eq!(contents(&*file), b"");
    });
}

#[test]
fn room_is_zeros_and_never_takes_bytes_away() {
    on_both(|disk| {
        let file = file(disk, "a", b"abc");
        file.allocate(2).unwrap();
        assert_eq!(contents(&*file), b"abc");
        file.allocate(600).unwrap();
        let mut expected = b"abc".to_vec();
        expected.resize(600, 0);
        assert_eq!(contents(&*file), expected);
        file.allocate(0).unwrap();
        assert_eq!(file.size().unwrap(), 600);
    });
}

#[test]
fn a_rename_replaces_and_nobody_reads_another_file_for_it() {
    on_both(|disk| {
        let (new, old) = (file(disk, "new", b"new"), file(disk, "name", b"old"));
        disk.rename("new", "name").unwrap();
        assert_eq!(names(disk), ["name"]);
        assert_eq!(contents(&*disk.open("name").unwrap()), b"new");
        assert_eq!(contents(&*old), b"old");
        new.write_at(b"N", 0).unwrap();
        assert_eq!(contents(&*disk.open("name").unwrap()), b"New");
        disk.rename("name", "name").unwrap();
        assert_eq!(names(disk), ["name"]);
        let missing = disk.rename("none", "name").unwrap_err().kind();
        assert_eq!(missing, ErrorKind::NotFound);
        assert_eq!(names(disk), ["name"]);
    });
}

#[test]
fn a_file_without_a_name_is_still_read_by_who_has_it() {
    on_both(|disk| {
        let old = file(disk, "a", b"old");
        disk.remove("a").unwrap();
        assert_eq!(disk.remove("a").unwrap_err().kind(), ErrorKind::NotFound);
        file(disk, "a", b"new");
        old.write_at(b"O", 0).unwrap();
        old.sync().unwrap();
        disk.sync_folder().unwrap();
        assert_eq!(contents(&*old), b"Old");
        assert_eq!(contents(&*disk.open("a").unwrap()), b"new");
    });
}

#[test]
fn the_names_that_are_there_are_listed() {
    on_both(|disk| {
        assert!(disk.list().unwrap().is_empty());
        file(disk, "b", b"");
        file(disk, "a", b"");
        file(disk, "c", b"");
        disk.remove("b").unwrap();
        disk.rename("c", "d").unwrap();
        assert_eq!(names(disk), ["a", "d"]);
    });
}

#[test]
fn one_has_the_lock_and_all_others_are_told_who() {
    on_both(|disk| {
        let lock = || disk.lock("lock", "second\n").unwrap();
        let held = disk.lock("lock", " the first, by a longer name\n").unwrap();
        assert!(matches!(held, Lock::Taken(_)));
        assert!(matches!(lock(), Lock::Busy(text) if text == "the first, by a longer name"));
        drop(held);
        let held = lock();
        assert!(matches!(held, Lock::Taken(_)));
        assert!(matches!(lock(), Lock::Busy(text) if text == "second"));
        assert_eq!(contents(&*disk.open("lock").unwrap()), b"second\n");
        assert_eq!(names(disk), ["lock"]);
    });
}
