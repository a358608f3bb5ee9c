//! The whole of it, at a rule that everybody knows: a file is replaced by a rename, and it matters
//! what is synced before.

use std::collections::BTreeSet;
use std::io;

use worker_runtime::store::fs::disk::Disk;

use super::{durable, names};
use crate::sim::{Loss, SimDisk};

const OLD: &[u8] = &[1; 1000];
const NEW: &[u8] = &[2; 1200];

fn replace(disk: &SimDisk, file_synced: bool) -> io::Result<()> {
    let file = disk.create("temporary")?;
    file.write_at(NEW, 0)?;
    if file_synced {
        file.sync()?;
    }
    disk.rename("temporary", "name")?;
    disk.sync_folder()
}

/// A disk that is off when so many operations are done, and whether it was time.
fn stopped_after(operations: usize, file_synced: bool) -> (SimDisk, bool) {
    let disk = SimDisk::new();
    durable(&disk, "name", OLD);
    disk.stop_at(disk.ops().len() + operations);
    let stopped = replace(&disk, file_synced).is_err();
    assert_eq!(stopped, disk.stopped());
    (disk, stopped)
}

/// What the file may be, whenever the power is lost.
fn outcomes(file_synced: bool) -> BTreeSet<Vec<u8>> {
    let mut outcomes = BTreeSet::new();
    for operations in 0.. {
        let (disk, stopped) = stopped_after(operations, file_synced);
        let after = disk.power_losses();
        outcomes.extend(after.map(|(_, after)| super::read(&after, "name")));
        if !stopped {
            break;
        }
    }
    outcomes
}

#[test]
fn who_syncs_first_finds_the_old_or_the_new() {
    let expected = [OLD, NEW].map(<[u8]>::to_vec);
    assert_eq!(outcomes(true), expected.into());
}

#[test]
fn who_does_not_finds_anything() {
    let found = outcomes(false);
    assert!(found.contains(&vec![]), "not a byte of it");
    assert!(found.contains(&[vec![2; 512], vec![0; 688]].concat()));
}

#[test]
fn who_is_done_finds_the_new() {
    let (disk, _) = stopped_after(usize::MAX / 2, true);
    for (loss, after) in disk.power_losses() {
        assert_eq!(super::read(&after, "name"), NEW, "{loss:?}");
        assert_eq!(names(&after), ["name"]);
    }
    assert_eq!(disk.power_loss(Loss::Everything).files(), disk.files());
}
