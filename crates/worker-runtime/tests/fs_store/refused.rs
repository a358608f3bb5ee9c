//! What a start refuses, and in which words.

use std::sync::Arc;

use crc32fast::Hasher;
use worker_runtime::store::fs::disk::{Disk, Lock};
use worker_runtime::store::fs::{FsOptions, FsStore, OpenError};
use yoi_protocol::RuntimeId;

use crate::history::{STEPS, Told, holds, live, open};
use crate::power::{lived, made};
use crate::sim::{Loss, SimDisk};

/// A store with several segments, that was closed.
async fn several() -> (SimDisk, Told) {
    let disk = made();
    let mut told = Told::default();
    let store = open(&disk).unwrap();
    live(&disk, &store, &mut told, &STEPS[..13]).await;
    drop(store);
    (disk.power_loss(Loss::Nothing), told)
}

fn missing(file: &str) -> OpenError {
    OpenError::Missing {
        file: file.to_owned(),
    }
}

/// Holds a start to refuse, and to leave everything as it is.
fn refuses(disk: &SimDisk) -> OpenError {
    let before = disk.files();
    let error = open(disk).unwrap_err();
    let mut after = disk.files();
    after.insert("LOCK".to_owned(), before["LOCK"].clone());
    assert_eq!(after, before, "{error}");
    error
}

#[tokio::test]
async fn a_second_process() {
    let (disk, told) = several().await;
    let first = open(&disk).unwrap();
    assert_eq!(open(&disk).unwrap_err(), OpenError::Ours);
    drop(first);
    // As another process would say of itself.
    let Lock::Taken(held) = disk.lock("LOCK", "process 0 since then").unwrap() else {
        panic!("it is free")
    };
    let holder = "process 0 since then".to_owned();
    assert_eq!(open(&disk).unwrap_err(), OpenError::Busy { holder });
    drop(held);
    holds(&disk, told).await.unwrap();
    let Lock::Taken(_held) = disk.lock("LOCK", "").unwrap() else {
        panic!("it is free")
    };
    let other = open(&disk).unwrap_err().to_string();
    assert!(other.contains("another process"), "{other}");
}

#[tokio::test]
async fn another_runtime() {
    let (disk, told) = several().await;
    let ours = RuntimeId::parse("rt-2").unwrap();
    // Even what is only in the way is left to whom it belongs.
    disk.create("0000000009.log.tmp").unwrap();
    let before = disk.files();
    let opened = FsStore::open_on(Arc::new(disk.clone()), FsOptions::new(ours.clone()));
    let theirs = RuntimeId::parse("rt-1").unwrap();
    let expected = OpenError::OtherRuntime { theirs, ours };
    assert_eq!(opened.unwrap_err(), expected);
    assert_eq!(disk.files().len(), before.len());
    holds(&disk, told).await.unwrap();
}

#[tokio::test]
async fn a_newer_format() {
    let (disk, _) = several().await;
    let mut files = disk.files();
    let line = String::from_utf8(files["STORE"].clone()).unwrap();
    let line = line[9..].trim_end().replace("\"format\":1", "\"format\":2");
    let mut hasher = Hasher::new();
    hasher.update(line.as_bytes());
    let newer = format!("{:08x} {line}\n", hasher.finalize());
    files.insert("STORE".to_owned(), newer.into_bytes());
    let error = refuses(&SimDisk::from_files(files));
    assert_eq!(error, OpenError::Newer { found: 2, known: 1 });
}

#[tokio::test]
async fn a_file_that_is_missing() {
    let (disk, _) = several().await;
    for file in ["0000000001.log", "0000000002.log", "HEAD", "STORE"] {
        let disk = disk.deep_clone();
        disk.delete(file);
        assert_eq!(refuses(&disk), missing(file));
    }
}

#[tokio::test]
async fn a_last_segment_that_is_missing() {
    let (disk, told) = several().await;
    let files = disk.files();
    let segments: Vec<_> = files.keys().filter(|name| name.ends_with(".log")).collect();
    let [.., before, last] = segments.as_slice() else {
        panic!("{segments:?}")
    };
    let lines = files[*last].split(|byte| *byte == b'\n');
    let lost = lines.filter(|line| line.get(9).is_some_and(|kind| b"RD".contains(kind)));
    disk.delete(last);
    let expected = OpenError::Lost {
        file: (*before).clone(),
        offset: files[*before].len() as u64,
        records: lost.count() as u64,
    };
    assert_eq!(refuses(&disk), expected);
    assert!(told.said.len() > 9);

    for name in &segments[..segments.len() - 1] {
        disk.delete(name);
    }
    let error = refuses(&disk);
    assert!(
        matches!(error, OpenError::Lost { offset: 0, records, .. } if records > 9),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_segment_that_took_the_place_of_others_and_is_missing() {
    let disk = made();
    lived(&disk).await;
    let disk = disk.power_loss(Loss::Nothing);
    disk.delete("0000000002-0000000003.log");
    assert_eq!(refuses(&disk), missing("0000000002.log"));
}

#[tokio::test]
async fn a_bad_record_before_good_ones() {
    let (disk, _) = several().await;
    let files = disk.files();
    let (last, bytes) = files
        .iter()
        .rfind(|(name, _)| name.ends_with(".log"))
        .unwrap();
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let is_line = |line: &&&[u8]| line.ends_with(b"\n");
    let records = lines.iter().filter(is_line).count() as u64 - 1;
    assert!(records > 2, "{records}");
    let mut offset = lines[0].len() as u64;
    for number in 0..records {
        let disk = disk.deep_clone();
        disk.flip(last, offset + 30, 1);
        let expected = OpenError::Damaged {
            file: last.clone(),
            offset,
            what: "a record that was acknowledged is not what was written",
            before: number,
            after: records - number - 1,
        };
        assert_eq!(refuses(&disk), expected);
        offset += lines[number as usize + 1].len() as u64;
    }
}

/// All that is left is how far it went: a new store there would have forgotten it.
#[tokio::test]
async fn nothing_but_the_mark() {
    let (disk, _) = several().await;
    let mut files = disk.files();
    files.retain(|name, _| name == "HEAD" || name == "LOCK");
    assert_eq!(refuses(&SimDisk::from_files(files)), missing("STORE"));

    // Of a store that was begun, and never made: there is nothing to forget.
    let mut files = made().files();
    files.retain(|name, _| name == "HEAD" || name == "LOCK");
    drop(open(&SimDisk::from_files(files)).unwrap());
}

/// Whoever makes a store among other people's files leaves those alone.
#[tokio::test]
async fn what_is_no_file_of_a_store_stays() {
    let disk = SimDisk::new();
    for name in ["thesis.tmp", "0000000001.log.tmp"] {
        disk.create(name).unwrap();
    }
    drop(open(&disk).unwrap());
    drop(open(&disk).unwrap());
    let files = disk.files();
    assert!(files.contains_key("thesis.tmp"));
    assert!(!files.contains_key("0000000001.log.tmp"));
}

/// Segments of another store, under the right names.
#[tokio::test]
async fn a_segment_of_another_store() {
    let ((disk, _), (other, _)) = (several().await, several().await);
    for file in ["0000000001.log", "0000000002.log"] {
        let mut files = disk.files();
        files.insert(file.to_owned(), other.files()[file].clone());
        let error = refuses(&SimDisk::from_files(files));
        assert!(
            matches!(&error, OpenError::Damaged { file: said, .. } if said == file),
            "{error:?}"
        );
    }
}
