//! What is done to a store from outside while a process has it, or between two.

use std::fs;
use std::io::ErrorKind;

use worker_runtime::store::fs::{FsStore, OpenError};
use worker_runtime::{Condition, Store};

use crate::history::{STEPS, Step, Told, holds, live, open, options};
use crate::sim::{Failure, Kind, Nth, SimDisk};

const BEGIN: &[Step] = &[Step::Next(1, &[1]), Step::Next(2, &[]), Step::Next(1, &[])];

#[tokio::test]
async fn a_file_that_is_taken_away_ends_what_is_taken() {
    for file in ["STORE", "HEAD", "0000000001.log"] {
        let disk = SimDisk::new();
        let mut told = Told::default();
        let store = open(&disk).unwrap();
        live(&disk, &store, &mut told, BEGIN).await;
        store.maintain().await;
        assert_eq!(store.condition(), Condition::Sound, "{file}");
        disk.delete(file);
        store.maintain().await;
        assert_eq!(store.condition(), Condition::Failed, "{file}");
        live(&disk, &store, &mut told, &[Step::Next(1, &[])]).await;
        assert_eq!(told.outcomes, "...-", "{file}");
    }
}

#[tokio::test]
async fn files_that_come_and_go_by_themselves_are_not_missed() {
    let disk = SimDisk::new();
    let mut told = Told::default();
    let store = open(&disk).unwrap();
    for step in STEPS {
        live(&disk, &store, &mut told, &[*step]).await;
        store.maintain().await;
        assert_eq!(store.condition(), Condition::Sound);
    }
    drop(store);
    holds(&disk, told).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_until_there_is_room() {
    let disk = SimDisk::new();
    let mut told = Told::default();
    let store = open(&disk).unwrap();
    let is_told = |store: &FsStore| {
        let mut all = store.diagnostics().into_iter();
        all.any(|one| one.code == "store_full")
    };
    let full = Failure::error(ErrorKind::StorageFull);
    let fault = disk.fail(Nth::of(Kind::Allocate, 0).onwards(), full);
    live(&disk, &store, &mut told, &[Step::Next(1, &[])]).await;
    assert!(is_told(&store));
    drop(fault);
    live(&disk, &store, &mut told, &[Step::Next(1, &[])]).await;
    assert!(!is_told(&store));
    assert_eq!(told.outcomes, "-.");
    assert_eq!(store.condition(), Condition::Sound);
}

#[tokio::test]
async fn a_segment_of_another_store_is_known_for_one() {
    let (ours, theirs) = (SimDisk::new(), SimDisk::new());
    for disk in [&ours, &theirs] {
        let store = open(disk).unwrap();
        live(disk, &store, &mut Told::default(), BEGIN).await;
    }
    let segment = "0000000001.log";
    ours.overwrite(segment, 0, &theirs.files()[segment]);
    let refused = open(&ours).unwrap_err();
    let OpenError::Damaged { file, what, .. } = &refused else {
        panic!("{refused}")
    };
    assert_eq!(
        (file.as_str(), *what),
        (segment, "it belongs to another store")
    );
}

#[test]
fn a_lock_that_was_taken_for_a_leftover_still_holds() {
    let folder = tempfile::tempdir().unwrap();
    let first = FsStore::open(folder.path(), options()).unwrap();
    fs::remove_file(folder.path().join("LOCK")).unwrap();
    let second = FsStore::open(folder.path(), options());
    assert!(matches!(second, Err(OpenError::Busy { .. })), "{second:?}");
    drop(first);
    FsStore::open(folder.path(), options()).unwrap();
}
