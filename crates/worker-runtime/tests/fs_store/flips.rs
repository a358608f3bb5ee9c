//! Bits that flip, every one of a small store that was closed: it is said where, or nothing of what
//! is served is other than it was written.

mod small;

use worker_runtime::store::fs::repair::inspect_on;
use worker_runtime::store::fs::{FsStore, OpenError};
use worker_runtime::{Condition, Store, StoreError};

use crate::history::{Told, is, open};
use crate::power::has_time;
use crate::sim::SimDisk;
use small::{SEALED, Small, WRITTEN};

/// What comes of a bit that flipped.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Everything is as it was written.
    Nothing,
    /// And a tail was cut.
    Cut,
    /// It does not open, for a line of this file from here on, with so many good ones before and
    /// after.
    Refused(String, u64, (u64, u64)),
    /// It opens, and says that a line of this file is damaged.
    Damaged(String, u64),
}

async fn found(disk: &SimDisk, told: &Told) -> Result<Found, String> {
    let store = match open(disk) {
        Ok(store) => store,
        Err(OpenError::Damaged {
            file,
            offset,
            before,
            after,
            ..
        }) => return Ok(Found::Refused(file, offset, (before, after))),
        Err(error) => return Err(format!("it does not open: {error}")),
    };
    if store.scrub().await == Condition::Damaged {
        return damaged(&store, told).await;
    }
    is(&store, &mut told.clone()).await?;
    let codes = store.diagnostics().into_iter().map(|one| one.code);
    match codes.collect::<Vec<_>>().as_slice() {
        [] => Ok(Found::Nothing),
        [one] if one == "tail_cut" => Ok(Found::Cut),
        codes => Err(format!("{:?} {codes:?}", store.condition())),
    }
}

/// What it says is damaged, once everything else is seen to be right.
async fn damaged(store: &FsStore, told: &Told) -> Result<Found, String> {
    told.is_right_but_for_damage(store).await?;
    let said = store.diagnostics();
    let said = &said
        .iter()
        .find(|one| one.code == "store_damaged")
        .unwrap()
        .message;
    let place = said.split_once(" is damaged at offset ");
    let (file, rest) = place.ok_or_else(|| format!("it says {said}"))?;
    let offset = rest.split(':').next().unwrap_or_default();
    let offset = offset.parse().map_err(|_| format!("it says {said}"))?;
    Ok(Found::Damaged(file.to_owned(), offset))
}

/// Flips each bit of these bytes of a file in turn, and holds what comes of it to be what is
/// expected of its offset.
async fn flip(
    small: &Small,
    file: &str,
    bytes: std::ops::Range<u64>,
    expected: impl Fn(u64) -> Found,
) {
    for offset in bytes {
        for bit in 0..8 {
            let disk = small.disk.deep_clone();
            disk.flip(file, offset, bit);
            let found = found(&disk, &small.told).await;
            let found = found.unwrap_or_else(|error| panic!("{file} {offset}.{bit}: {error}"));
            assert_eq!(found, expected(offset), "{file} {offset}.{bit}");
        }
    }
}

fn refused(file: &str, offset: u64, lines: (u64, u64)) -> Found {
    Found::Refused(file.to_owned(), offset, lines)
}

#[tokio::test]
async fn of_its_name() {
    let small = Small::new().await;
    flip(&small, "STORE", 0..small.size("STORE"), |_| {
        refused("STORE", 0, (0, 0))
    })
    .await;
}

/// One of the two marks is enough.
#[tokio::test]
async fn of_its_mark() {
    let small = Small::new().await;
    for slot in [0, 512] {
        let line = small.lines("HEAD", slot)[0].clone();
        flip(&small, "HEAD", line.start..line.end + 2, |_| Found::Nothing).await;
    }
    flip(&small, "HEAD", 508..512, |_| Found::Nothing).await;
    let both = small.disk.deep_clone();
    both.flip("HEAD", 0, 0);
    both.flip("HEAD", 512, 0);
    let found = found(&both, &small.told).await;
    assert_eq!(found, Ok(refused("HEAD", 0, (0, 0))));
}

/// Its lines are read when somebody asks, but for its index.
#[tokio::test]
async fn of_a_segment_with_an_index() {
    let small = Small::new().await;
    let (lines, index, size) = (
        small.lines(SEALED, 0),
        small.index(SEALED),
        small.size(SEALED),
    );
    let last = lines.len() as u64 - 1;
    for (number, line) in (0..).zip(&lines) {
        flip(&small, SEALED, line.clone(), |offset| {
            // Without its line feed it runs into the next.
            let runs_on = u64::from(offset + 1 == line.end && number < last);
            let before = u64::saturating_sub(number, 1);
            if line.start < index {
                Found::Damaged(SEALED.to_owned(), line.start)
            } else if number + runs_on == last {
                refused(SEALED, size, (before, 0))
            } else {
                refused(SEALED, line.start, (before, last - number - runs_on))
            }
        })
        .await;
    }
}

#[tokio::test]
async fn of_the_segment_that_is_written_to() {
    let small = Small::new().await;
    let lines = small.lines(WRITTEN, 0);
    let records = lines.len() as u64 - 1;
    for (number, line) in (0..).zip(&lines) {
        let before = u64::saturating_sub(number, 1);
        flip(&small, WRITTEN, line.clone(), |offset| {
            // Without its line feed it runs into the next.
            let runs_on = offset + 1 == line.end && number < records;
            let after = records - number - u64::from(runs_on);
            refused(WRITTEN, line.start, (before, after))
        })
        .await;
    }
}

/// What is in the room that was taken and not used yet was never acknowledged.
#[tokio::test]
async fn of_room() {
    let small = Small::new().await;
    let size = small.size(WRITTEN);
    small.disk.overwrite(WRITTEN, size, &[0; 40]);
    flip(&small, WRITTEN, size..size + 40, |_| Found::Cut).await;
}

/// The last index need not be whole: the records say the same.
#[tokio::test]
async fn of_the_last_index() {
    let small = Small::sealed().await;
    let bits = if has_time() { 8 } else { 1 };
    for offset in small.index(SEALED)..small.size(SEALED) {
        for bit in 0..bits {
            let disk = small.disk.deep_clone();
            disk.flip(SEALED, offset, (bit + offset as u8) % 8);
            let found = found(&disk, &small.told).await;
            assert_eq!(found, Ok(Found::Cut), "{offset}");
        }
    }
}

/// Once records are given up, only the index says how a Worker is.
#[tokio::test]
async fn of_the_last_index_of_a_segment_written_anew() {
    let with_answers = Small::written_anew_with_answers().await;
    for small in [Small::written_anew().await, with_answers] {
        let bytes = small.index(SEALED)..small.size(SEALED);
        let bits = if has_time() { 8 } else { 1 };
        let refuses = |disk: &SimDisk, offset| match open(disk) {
            Err(OpenError::Damaged { file, .. }) => assert_eq!(file, SEALED),
            other => panic!("{offset}: {other:?}"),
        };
        for offset in bytes {
            for bit in 0..bits {
                let disk = small.disk.deep_clone();
                disk.flip(SEALED, offset, (bit + offset as u8) % 8);
                refuses(&disk, offset);
            }
            let disk = small.disk.deep_clone();
            disk.cut(SEALED, offset);
            refuses(&disk, offset);
            assert!(!inspect_on(&disk).unwrap().is_whole(), "cut at {offset}");
        }
    }
}

#[tokio::test]
async fn a_read_of_what_is_damaged_says_so() {
    let small = Small::new().await;
    let record = small.lines(SEALED, 0)[1].clone();
    small.disk.flip(SEALED, record.start + 100, 0);
    let store = open(&small.disk).unwrap();
    assert_eq!(store.condition(), Condition::Sound);
    let answer = store.answer(&[1; 32]).await;
    let text = format!("{SEALED} is damaged at offset {}", record.start);
    assert_eq!(answer, Err(StoreError::Damaged(text)));
    assert_eq!(store.condition(), Condition::Damaged);
}
