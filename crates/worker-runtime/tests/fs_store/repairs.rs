//! What is kept of a store that cannot be opened any more: whatever is good, and nothing that was
//! not written. And what it is as lines of JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use worker_runtime::Store;
use worker_runtime::store::fs::repair::{Repair, inspect_on, repair_onto};
use worker_runtime::store::fs::{FsStore, OpenError, export_from};
use yoi_protocol::WorkerId;

use crate::history::{ALL, MOST_EVENTS, STEPS, Step, Told, adds_up, live, open, options};
use crate::sim::SimDisk;

/// A closed store with a past.
async fn past() -> (SimDisk, Told) {
    let disk = SimDisk::new();
    let mut told = Told::default();
    let store = open(&disk).unwrap();
    live(&disk, &store, &mut told, STEPS).await;
    drop(store);
    (disk, told)
}

/// Repairs a disk, and holds what is kept to be what was written and what was said to be kept.
async fn repaired(disk: &SimDisk, told: &Told) -> Result<Repair, String> {
    let before = disk.files();
    let new = SimDisk::new();
    let said = inspect_on(disk).map_err(|error| format!("inspecting: {error}"))?;
    let done = repair_onto(disk, &new).map_err(|error| format!("repairing: {error}"))?;
    if said != done || disk.files() != before {
        return Err(format!("said {said:?}, did {done:?}, or changed the store"));
    }
    let store = open(&new).map_err(|error| format!("it does not open: {error}"))?;
    let mut states = BTreeMap::new();
    let mut take = |log: worker_runtime::store::LogId, state| {
        states.insert(log.worker_id.clone(), (log, state));
    };
    store.recover(&mut take).await.unwrap();
    let kept = || done.workers.iter().filter(|kept| kept.last_seq > 0);
    if states.len() != kept().count() {
        return Err(format!("{} workers, and {done:?}", states.len()));
    }
    for kept in kept() {
        let of = |what: String| format!("{}: {what}", kept.worker_id);
        let (log, state) = &states[&kept.worker_id];
        let mut lives = told.logs.iter();
        let Some((was, written)) = lives.find(|(was, _)| was.worker_id == kept.worker_id) else {
            // That it was forgotten is what was lost.
            continue;
        };
        let last = kept.last_seq as usize;
        if **state != adds_up(&written[..last]) {
            return Err(of(format!("it is {state:?}")));
        }
        // What goes on from before what it lost is another life, and so is what may have lost
        // something.
        let is_cut = last < written.len();
        if is_cut && !kept.is_another_life || (log == was) == kept.is_another_life {
            return Err(of(format!("its life is {log:?}: {kept:?}")));
        }
        let events = store
            .events(log, ALL)
            .await
            .map_err(|e| of(e.to_string()))?;
        let first = events.first_seq as usize;
        let found: Vec<_> = events
            .events
            .iter()
            .map(|event| (**event).clone())
            .collect();
        // More may be given up when it is opened, but nothing else.
        if first < kept.first_seq as usize || found != written[first - 1..last] {
            return Err(of(format!("{first}: {found:?}")));
        }
        let entries = store
            .entries(log, ALL)
            .await
            .map_err(|e| of(e.to_string()))?;
        let given_up = written[..first - 1]
            .iter()
            .filter_map(|event| event.entry());
        let expected: Vec<_> = found.iter().filter_map(|event| event.entry()).collect();
        if entries.first_sequence != given_up.count() as u64 + 1
            || entries.entries.iter().collect::<Vec<_>>() != expected
        {
            return Err(of(format!("{entries:?}")));
        }
    }
    Ok(done)
}

#[tokio::test]
async fn a_store_that_is_whole_needs_no_repair() {
    let (disk, told) = past().await;
    let done = repaired(&disk, &told).await.unwrap();
    assert!(done.is_whole(), "{done:?}");
    assert!(done.workers.iter().all(|kept| !kept.is_another_life));
}

#[tokio::test]
async fn whatever_line_is_damaged_all_others_are_kept() {
    let (disk, told) = past().await;
    let mut cut = 0;
    for (file, bytes) in disk.files() {
        let used = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        let mut at = 0;
        for line in bytes[..used].split_inclusive(|byte| *byte == b'\n') {
            let damaged = disk.deep_clone();
            let middle = at + line.len() / 2;
            damaged.flip(&file, middle as u64, 3);
            at += line.len();
            if file == "LOCK" {
                continue;
            }
            let done = repaired(&damaged, &told).await;
            let done = done.unwrap_or_else(|error| panic!("{file} at {middle}: {error}"));
            cut += done
                .workers
                .iter()
                .filter(|kept| kept.is_another_life)
                .count();
            // One of two marks is redundant.
            let is_told = done.flaws.iter().any(|flaw| flaw.file == file);
            assert!(is_told || file == "HEAD", "{file} at {middle}: {done:?}");
        }
    }
    assert!(cut > 0, "no damage hit the end of a log");
}

/// Whoever shows in what is there has lost nothing of its end, and its cursors stay good.
#[tokio::test]
async fn without_its_first_segment_a_store_goes_on_under_the_same_lives() {
    let (disk, mut told) = (SimDisk::new(), Told::default());
    let store = open(&disk).unwrap();
    // None of its segments was written anew: each follows the one before it, record by record.
    live(&disk, &store, &mut told, &STEPS[..13]).await;
    drop(store);
    disk.delete(ONE);
    let done = repaired(&disk, &told).await.unwrap();
    assert!(!done.workers.is_empty(), "{done:?}");
    assert!(
        done.workers.iter().all(|kept| !kept.is_another_life),
        "{done:?}"
    );
    // And nothing else is said to be wrong.
    let said: Vec<&str> = done.flaws.iter().map(|flaw| flaw.file.as_str()).collect();
    assert_eq!(said, [ONE]);
}

/// A Worker, and where in the one file of its store each of its records begins.
async fn in_one_file(steps: &[Step]) -> (SimDisk, Told, Vec<u64>) {
    let disk = SimDisk::new();
    let mut told = Told::default();
    let large = options().segment_bytes(1 << 20);
    let store = FsStore::open_on(Arc::new(disk.clone()), large).unwrap();
    live(&disk, &store, &mut told, steps).await;
    drop(store);
    let bytes = disk.files().remove(ONE).unwrap();
    let mut at = 0;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        at += line.len() as u64;
        at - line.len() as u64
    });
    let records = lines.skip(1).take(steps.len()).collect();
    (disk, told, records)
}

const ONE: &str = "0000000001.log";

/// Each of its records has an answer.
const ANSWERED: &[Step] = &[
    Step::Next(1, &[1]),
    Step::Next(1, &[2]),
    Step::Next(1, &[3]),
    Step::Next(1, &[4]),
    Step::Next(1, &[5]),
    Step::Next(1, &[6]),
    Step::Next(1, &[7]),
];

/// No index says how the Worker was after the hole, but whoever takes an input is idle.
#[tokio::test]
async fn what_is_after_a_hole_is_kept_from_an_input_on() {
    let (disk, told, records) = in_one_file(ANSWERED).await;
    let last = told.logs[&told.log(1)].len() as u64;
    // Which record is damaged, and the first event that is kept then.
    for (damaged, first) in [(1, 6), (2, 6), (3, 10), (4, 10)] {
        let disk = disk.deep_clone();
        disk.flip(ONE, records[damaged] + 60, 1);
        let done = repaired(&disk, &told).await.unwrap();
        let [kept] = done.workers.as_slice() else {
            panic!("{done:?}")
        };
        assert_eq!((kept.first_seq, kept.last_seq), (first, last), "{damaged}");
        assert_eq!(kept.lost, [(1, first - 1)], "{damaged}");
        assert!(!kept.is_another_life);
        // Those of what is given up stay, as always, and the damaged one is lost.
        assert_eq!(done.answers, 6, "{damaged}");
    }
}

/// What they tell of is not so any more.
#[tokio::test]
async fn answers_go_with_the_end_that_is_lost() {
    let (disk, told, records) = in_one_file(ANSWERED).await;
    // The last run has its end only, so nothing after it can be kept.
    disk.flip(ONE, records[5] + 60, 1);
    let new = SimDisk::new();
    let done = repair_onto(&disk, &new).unwrap();
    let [kept] = done.workers.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!((kept.first_seq, kept.last_seq), (1, 9));
    assert_eq!(kept.lost, [(10, 13)]);
    assert_eq!(done.answers, 5);
    let store = open(&new).unwrap();
    for key in 1..=7_u8 {
        let answer = store.answer(&[key; 32]).await.unwrap();
        let expected = told.keys.get(&[key; 32]).filter(|_| key <= 5);
        assert_eq!(answer.as_ref(), expected, "{key}");
    }
    repaired(&disk, &told).await.unwrap();
}

/// Where nothing says how it began, and nothing later how it was.
#[tokio::test]
async fn a_worker_of_whom_nothing_can_be_kept_is_named() {
    let disk = SimDisk::new();
    let mut told = Told::default();
    let store = open(&disk).unwrap();
    let steps = [Step::Next(1, &[]), Step::Next(2, &[]), Step::Next(1, &[])];
    live(&disk, &store, &mut told, &steps).await;
    drop(store);
    let name = "0000000001.log";
    let bytes = disk.files().remove(name).unwrap();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    disk.flip(name, header as u64 + 40, 1);
    let done = repaired(&disk, &told).await.unwrap();
    let [gone, kept] = done.workers.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!((gone.worker_id.as_str(), gone.last_seq), ("w-1", 0));
    assert_eq!(gone.lost, [(1, 3)]);
    assert_eq!((kept.worker_id.as_str(), kept.last_seq), ("w-2", 1));
    assert!(!done.is_whole());
}

#[tokio::test]
async fn whatever_file_is_missing_the_others_are_kept() {
    let (disk, told) = past().await;
    for (file, _) in disk.files() {
        let without = disk.deep_clone();
        without.delete(&file);
        let done = repaired(&without, &told).await;
        let done = done.unwrap_or_else(|error| panic!("without {file}: {error}"));
        assert_eq!(done.is_whole(), file == "LOCK", "without {file}: {done:?}");
    }
}

#[tokio::test]
async fn wherever_the_log_is_cut_what_is_before_is_kept() {
    let (disk, told) = past().await;
    let files = disk.files();
    let (last, bytes) = files
        .iter()
        .rfind(|(name, _)| name.ends_with(".log"))
        .unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let ends = (0..used).filter(|at| *at == 0 || bytes[at - 1] == b'\n');
    for size in ends.flat_map(|end| [end, end + 1, end + 40]) {
        let short = disk.deep_clone();
        short.cut(last, size as u64);
        let done = repaired(&short, &told).await;
        let done = done.unwrap_or_else(|error| panic!("cut at {size}: {error}"));
        assert!(!done.is_whole(), "cut at {size}: {done:?}");
    }
}

#[test]
fn what_is_no_store_is_not_repaired() {
    assert_eq!(inspect_on(&SimDisk::new()), Err(OpenError::Absent));
}

/// The lines of an export.
fn lines(disk: &SimDisk, worker_id: Option<&str>) -> (Vec<Value>, usize) {
    let mut out = Vec::new();
    let worker_id = worker_id.map(|id| WorkerId::parse(id).unwrap());
    let exported = export_from(disk, worker_id.as_ref(), &mut out).unwrap();
    let lines: Vec<Value> = out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, exported.events);
    (lines, exported.flaws.len())
}

#[tokio::test]
async fn an_export_has_every_event_that_is_kept() {
    let (disk, told) = past().await;
    let (all, flaws) = lines(&disk, None);
    assert_eq!(flaws, 0);
    for (log, written) in &told.logs {
        let ours: Vec<&Value> = all
            .iter()
            .filter(|line| line["life"] == log.life.to_string())
            .collect();
        let seqs: Vec<u64> = ours
            .iter()
            .filter_map(|line| line["seq"].as_u64())
            .collect();
        assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
        let last = written.len() as u64;
        let kept: Vec<u64> = (last.saturating_sub(MOST_EVENTS) + 1..=last).collect();
        assert!(seqs.ends_with(&kept), "{log:?}: {seqs:?}");
        for line in ours {
            let event = &written[line["seq"].as_u64().unwrap() as usize - 1];
            assert_eq!(line["worker_id"], log.worker_id.as_str());
            assert_eq!(line["at"], event.at.to_string());
            assert_eq!(line["event"], serde_json::to_value(&event.event).unwrap());
        }
    }
    let lives: Vec<String> = told.logs.keys().map(|log| log.life.to_string()).collect();
    let is_known = |line: &Value| lives.iter().any(|life| line["life"] == *life);
    assert!(all.iter().all(is_known), "a forgotten log is exported");
    let (one, _) = lines(&disk, Some("w-1"));
    assert!(one.iter().all(|line| line["worker_id"] == "w-1") && !one.is_empty());
}

#[tokio::test]
async fn an_export_of_a_damaged_store_has_the_rest() {
    let (disk, _) = past().await;
    let (all, _) = lines(&disk, None);
    let files = disk.files();
    let (last, _) = files
        .iter()
        .rfind(|(name, _)| name.ends_with(".log"))
        .unwrap();
    // Behind the header, in the first record.
    let header = files[last].iter().position(|byte| *byte == b'\n').unwrap();
    disk.flip(last, header as u64 + 40, 1);
    let (rest, flaws) = lines(&disk, None);
    assert_eq!(flaws, 1);
    assert!(rest.len() < all.len() && rest.iter().all(|line| all.contains(line)));
}
