//! What a power loss leaves of a file.

use std::collections::BTreeSet;

use worker_runtime::store::fs::disk::Disk;

use super::{durable, read};
use crate::sim::{Loss, SimDisk};

/// What the file may be after a power loss.
fn outcomes(disk: &SimDisk, name: &str) -> BTreeSet<Vec<u8>> {
    let after = disk.power_losses();
    after.map(|(_, after)| read(&after, name)).collect()
}

fn set<const N: usize>(outcomes: [Vec<u8>; N]) -> BTreeSet<Vec<u8>> {
    outcomes.into()
}

#[test]
fn what_was_not_synced_is_lost_or_not() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"old");
    file.write_at(b"new", 0).unwrap();
    assert_eq!(read(&disk, "a"), b"new");
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"old");
    assert_eq!(read(&disk.power_loss(Loss::Nothing), "a"), b"new");
    file.sync().unwrap();
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"new");
}

#[test]
fn a_write_is_torn_between_sectors() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", &[0; 1000]);
    file.write_at(&[1; 30], 500).unwrap();
    assert_eq!(disk.pieces(), ["a: write 0..512", "a: write 512..1000"]);
    let torn = |first: u8, second: u8| {
        let mut bytes = vec![0; 1000];
        bytes[500..512].fill(first);
        bytes[512..530].fill(second);
        bytes
    };
    let expected = set([torn(0, 0), torn(0, 1), torn(1, 0), torn(1, 1)]);
    assert_eq!(outcomes(&disk, "a"), expected);
}

#[test]
fn writes_reach_the_disk_in_any_order() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", &[0; 1024]);
    file.write_at(b"1", 0).unwrap();
    file.write_at(b"2", 512).unwrap();
    let second_only = read(&disk.power_loss(Loss::AllBut(0b10)), "a");
    assert_eq!((second_only[0], second_only[512]), (0, b'2'));
}

#[test]
fn a_sector_takes_along_what_is_beside() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"....");
    file.write_at(b"1", 1).unwrap();
    file.write_at(b"2", 2).unwrap();
    let expected = [b"....", b".1..", b".12."].map(|bytes| bytes.to_vec());
    assert_eq!(outcomes(&disk, "a"), set(expected));
}

#[test]
fn a_file_is_as_long_as_what_reached_it() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"");
    file.write_at(&[1; 600], 0).unwrap();
    let pieces = ["a: grow to 600", "a: write 0..512", "a: write 512..600"];
    assert_eq!(disk.pieces(), pieces);
    let (zeros, ones) = (|n| vec![0; n], |n| vec![1; n]);
    let expected = [
        vec![],
        zeros(600),
        ones(512),
        [ones(512), zeros(88)].concat(),
        [zeros(512), ones(88)].concat(),
        ones(600),
    ];
    assert_eq!(outcomes(&disk, "a"), set(expected));
}

#[test]
fn a_length_is_lost_by_itself() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"abcd");
    file.set_size(2).unwrap();
    file.set_size(3).unwrap();
    let (cut, grown) = (Loss::AllBut(0b01), Loss::AllBut(0b10));
    assert_eq!(read(&disk.power_loss(cut), "a"), b"ab");
    assert_eq!(read(&disk.power_loss(grown), "a"), b"abc");
    assert_eq!(read(&disk.power_loss(Loss::Nothing), "a"), b"ab\0");
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"abcd");
}

#[test]
fn room_is_lost_by_itself() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"");
    file.allocate(2000).unwrap();
    file.write_at(b"x", 700).unwrap();
    assert_eq!(disk.pieces(), ["a: allocate 2000", "a: write 512..1024"]);
    let with = |mut bytes: Vec<u8>| {
        bytes[700] = b'x';
        bytes
    };
    let (zeros, short, long) = (vec![0; 2000], vec![0; 1024], vec![0; 2000]);
    let expected = [vec![], zeros, with(short), with(long)];
    assert_eq!(outcomes(&disk, "a"), set(expected));
}

#[test]
fn a_seed_decides_the_same_every_time() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", &[0; 8 * 512]);
    file.write_at(&[1; 8 * 512], 0).unwrap();
    let after = |seed| read(&disk.power_loss(Loss::Seed(seed)), "a");
    let all: BTreeSet<_> = (0..64).map(after).collect();
    assert!(all.len() > 30, "{}", all.len());
    assert!((0..64).all(|seed| after(seed) == after(seed)));
}

#[test]
fn what_is_left_is_durable_and_nobody_elses() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"old");
    file.write_at(b"new", 0).unwrap();
    let after = disk.power_loss(Loss::Nothing);
    assert_eq!(after.pieces(), [""; 0]);
    assert_eq!(after.ops(), []);
    file.write_at(b"!!!", 0).unwrap();
    file.sync().unwrap();
    let again = after.power_loss(Loss::Everything);
    assert_eq!(read(&again, "a"), b"new");
}

#[test]
fn the_killed_leave_what_they_wrote_and_a_power_loss_may_take_it_still() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"old");
    file.write_at(b"new", 0).unwrap();
    disk.create("b").unwrap();
    let next = disk.killed();
    assert_eq!(next.files(), disk.files());
    assert_eq!(next.ops(), []);
    assert_eq!(read(&next.power_loss(Loss::Everything), "a"), b"old");
    next.open("a").unwrap().sync().unwrap();
    assert_eq!(read(&next.power_loss(Loss::Everything), "a"), b"new");
    assert_eq!(read(&disk.power_loss(Loss::Everything), "a"), b"old");
}
