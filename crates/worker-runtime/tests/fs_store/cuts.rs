//! A last segment that ends anywhere: what was acknowledged is missing, and that is said; or nobody
//! can know that it was, and what is whole is served.

use worker_runtime::Store;
use worker_runtime::store::fs::OpenError;

use crate::history::{Step, Told, holds, is, live, open};
use crate::power::{has_time, made};
use crate::sim::SimDisk;

const SEGMENT: &str = "0000000001.log";
const BEFORE: &[Step] = &[Step::Next(1, &[1]), Step::Answers(1, &[2])];
const LAST: &[Step] = &[Step::Together(&[2, 3, 4])];

/// A store that was closed, and its mark in the past.
struct Life {
    disk: SimDisk,
    told: Told,
    /// By how many records there were.
    marks: [(usize, Vec<u8>); 3],
    /// Where the first line ends, and each record.
    ends: Vec<u64>,
}

async fn life() -> Life {
    let (disk, mut told) = (made(), Told::default());
    let mark = |disk: &SimDisk| disk.files().remove("HEAD").unwrap();
    let at_first = mark(&disk);
    let store = open(&disk).unwrap();
    live(&disk, &store, &mut told, BEFORE).await;
    let before = (told.said.len(), mark(&disk));
    live(&disk, &store, &mut told, LAST).await;
    drop(store);
    let bytes = disk.files().remove(SEGMENT).unwrap();
    let ends = (1..).zip(bytes).filter(|(_, byte)| *byte == b'\n');
    Life {
        marks: [(0, at_first), before, (told.said.len(), mark(&disk))],
        ends: ends.map(|(end, _)| end).collect(),
        disk: disk.deep_clone(),
        told,
    }
}

impl Life {
    /// The disk with the segment cut, and how many records are whole.
    fn cut(&self, size: u64, mark: &[u8]) -> (SimDisk, usize) {
        let disk = self.disk.deep_clone();
        disk.cut(SEGMENT, size);
        disk.overwrite("HEAD", 0, mark);
        let whole = self.ends.iter().filter(|end| **end <= size).count();
        (disk, whole.saturating_sub(1))
    }

    fn used(&self) -> u64 {
        *self.ends.last().unwrap()
    }
}

/// Holds a start to refuse, for a place at or before the cut.
fn is_refused(disk: &SimDisk, cut: u64, missing: usize) {
    let (file, offset) = match open(disk) {
        Err(OpenError::Lost {
            file,
            offset,
            records,
        }) => {
            assert_eq!(records, missing as u64, "cut at {cut}");
            (file, offset)
        }
        Err(OpenError::Damaged {
            file,
            offset,
            after: 0,
            ..
        }) => (file, offset),
        other => panic!("cut at {cut}: {other:?}"),
    };
    assert_eq!(file, SEGMENT);
    assert!(offset <= cut, "cut at {cut}, and it says {offset}");
}

#[tokio::test]
async fn what_was_acknowledged_and_is_gone_is_noticed() {
    let life = life().await;
    let [.., (records, mark)] = &life.marks;
    for cut in 0..life.used() {
        let (disk, whole) = life.cut(cut, mark);
        is_refused(&disk, cut, records - whole);
        let untouched = life.cut(cut, mark).0;
        assert_eq!(disk.files()[SEGMENT], untouched.files()[SEGMENT]);
    }
    let (disk, _) = life.cut(life.used(), mark);
    holds(&disk, life.told.clone()).await.unwrap();
}

/// Nothing more is known to have been acknowledged than the mark says.
async fn is_cut(life: &Life, cut: u64, (known, mark): &(usize, Vec<u8>)) {
    let (disk, whole) = life.cut(cut, mark);
    if whole < *known {
        return is_refused(&disk, cut, known - whole);
    }
    let mut there = life.told.first(whole);
    let store = open(&disk).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
    let codes: Vec<_> = store
        .diagnostics()
        .into_iter()
        .map(|one| one.code)
        .collect();
    let has_first_line = cut >= life.ends[0];
    let is_torn = has_first_line && !life.ends.contains(&cut);
    let expected: &[&str] = if is_torn { &["tail_cut"] } else { &[] };
    assert_eq!(codes, expected, "cut at {cut}");
    let found = is(&store, &mut there).await;
    found.unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
    drop(store);
    if cut.is_multiple_of(50) {
        let held = holds(&disk, there).await;
        held.unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
    }
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_told() {
    let life = life().await;
    let [_, before, _] = &life.marks;
    for cut in life.ends[before.0 - 1]..=life.used() {
        is_cut(&life, cut, before).await;
    }
}

#[tokio::test]
async fn so_it_is_when_nothing_is_known_to_have_been_acknowledged() {
    let life = life().await;
    let [at_first, ..] = &life.marks;
    let step = if has_time() { 1 } else { 5 };
    for cut in (0..=life.used()).step_by(step) {
        is_cut(&life, cut, at_first).await;
    }
}

/// No record is written before the first line lasts, so it cannot be what was cut.
#[tokio::test]
async fn records_behind_a_first_line_that_is_bad_are_no_torn_tail() {
    let life = life().await;
    let (disk, whole) = life.cut(life.ends[1], &life.marks[0].1);
    disk.flip(SEGMENT, 20, 0);
    match open(&disk) {
        Err(OpenError::Damaged {
            file,
            offset,
            before,
            after,
            ..
        }) => {
            assert_eq!((file.as_str(), offset), (SEGMENT, 0));
            assert_eq!((before, after), (0, whole as u64));
        }
        other => panic!("{other:?}"),
    }
}

/// Several records in one go, of which the disk has a later part and not the first.
#[tokio::test]
async fn a_go_that_is_torn_in_its_middle_is_cut() {
    let life = life().await;
    let [_, (known, mark), _] = &life.marks;
    // The first of the three is alone in its go.
    let go = life.ends[known + 1]..life.used();
    for hole in [go.start..life.ends[known + 2], go.start..go.start + 1] {
        let (disk, _) = life.cut(life.used(), mark);
        disk.overwrite(
            SEGMENT,
            hole.start,
            &vec![0; (hole.end - hole.start) as usize],
        );
        let store = open(&disk).unwrap();
        let said = &store.diagnostics()[0];
        assert_eq!(said.code, "tail_cut");
        let bytes = go.end - go.start;
        let place = format!(
            "the last {bytes} bytes of {SEGMENT}, from offset {}",
            go.start
        );
        assert!(said.message.starts_with(&place), "{}", said.message);
        drop(store);
        holds(&disk, life.told.first(known + 1)).await.unwrap();
    }
    // Its last record says that what was before its go was acknowledged.
    let (disk, _) = life.cut(life.used(), mark);
    let hole = life.ends[*known]..life.ends[known + 1];
    disk.overwrite(
        SEGMENT,
        hole.start,
        &vec![0; (hole.end - hole.start) as usize],
    );
    match open(&disk) {
        Err(OpenError::Damaged {
            file,
            offset,
            before,
            after,
            ..
        }) => {
            assert_eq!((file.as_str(), offset), (SEGMENT, hole.start));
            assert_eq!((before, after), (*known as u64, 2));
        }
        other => panic!("{other:?}"),
    }
}
