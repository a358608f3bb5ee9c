//! A small life of a store, the same every time, and what it must come to: whatever was answered
//! while it was told is held against what is found later.

mod check;
mod gate;
mod told;

use std::pin::pin;

use futures_util::future::{Either, join_all, join3, select};
use worker_runtime::store::fs::{FsOptions, FsStore, Maintenance, OpenError, Retention};
use worker_runtime::store::{Record, StoreError};
use worker_runtime::{Condition, Store};
use yoi_protocol::RuntimeId;

pub(crate) use check::{ALL, is};
pub(crate) use told::{Told, adds_up};

use gate::Gate;

use crate::sim::SimDisk;

/// The most events of one log that are kept.
pub(crate) const MOST_EVENTS: u64 = 12;

/// Segments of a few records each, of which the oldest are given up.
pub(crate) fn options() -> FsOptions {
    FsOptions::new(RuntimeId::parse("rt-1").unwrap())
        .segment_bytes(4096)
        .maintenance(Maintenance::Manual)
        .retention(Retention {
            max_worker_events: MOST_EVENTS,
            max_worker_bytes: u64::MAX,
            max_age_ms: None,
            max_bytes: None,
        })
}

pub(crate) fn open(disk: &SimDisk) -> Result<FsStore, OpenError> {
    FsStore::open_on(std::sync::Arc::new(disk.clone()), options())
}

/// What a Runtime asks of its store. Logs and keys go by number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The next record of a log, with answers under these keys.
    Next(u8, &'static [u8]),
    /// Answers of a log that changes nothing else.
    Answers(u8, &'static [u8]),
    /// The next record of each of these logs, all at once: the first is written alone, and those
    /// that came meanwhile in one go.
    Together(&'static [u8]),
    /// Drops a log.
    Forget(u8),
    /// Drops the answers that were given before half of the past.
    Expire,
    /// Looks after the store.
    Maintain,
}

/// Three logs through several segments: the third is dropped and its Worker begins another life,
/// the second falls silent, and twice the store is looked after when there is something to take
/// off the disk.
pub(crate) const STEPS: &[Step] = {
    use Step::{Answers, Expire, Forget, Maintain, Next, Together};
    &[
        Next(1, &[1]),
        Next(2, &[]),
        Next(1, &[2, 3]),
        Answers(2, &[4]),
        Next(3, &[5]),
        Next(1, &[2]),
        Together(&[1, 5, 3]),
        Next(3, &[6]),
        Next(3, &[]),
        Answers(3, &[7]),
        Forget(3),
        Forget(5),
        Next(1, &[]),
        Together(&[1, 4]),
        Next(1, &[]),
        Maintain,
        Next(1, &[8]),
        Next(1, &[]),
        Next(1, &[]),
        Next(1, &[]),
        Next(1, &[]),
        Next(4, &[2]),
        Next(1, &[]),
        Next(1, &[]),
        Expire,
        Next(1, &[]),
        Next(1, &[]),
        Next(4, &[9]),
        Maintain,
        Next(1, &[]),
        Together(&[4, 2, 1]),
    ]
};

/// Asks the store of a disk for each of these, one after the other, as long as it takes any.
pub(crate) async fn live(disk: &SimDisk, store: &FsStore, told: &mut Told, steps: &[Step]) {
    for step in steps {
        take(disk, store, told, *step).await;
    }
}

async fn take(disk: &SimDisk, store: &FsStore, told: &mut Told, step: Step) {
    match step {
        Step::Next(log, keys) => {
            let record = told.next(log, keys);
            commit(disk, store, told, &[record]).await;
        }
        Step::Answers(log, keys) => {
            let record = told.answers(log, keys);
            commit(disk, store, told, &[record]).await;
        }
        Step::Together(logs) => {
            let records: Vec<_> = logs.iter().map(|log| told.next(*log, &[])).collect();
            commit(disk, store, told, &records).await;
        }
        Step::Forget(log) => {
            let log = told.log(log);
            let forgotten = store.forget(&log).await;
            told.forgot(&log, &forgotten);
        }
        Step::Expire => {
            let before = told.expire();
            store.expire_answers(before);
        }
        Step::Maintain => store.maintain().await,
    }
}

async fn commit(disk: &SimDisk, store: &FsStore, told: &mut Told, records: &[Record]) {
    let had_failed = store.condition() == Condition::Failed;
    let commits = records.iter().map(|record| {
        let after = told.after(record);
        store.commit(record.clone(), after)
    });
    let answers = together(disk, commits.collect()).await;
    for (record, committed) in records.iter().zip(answers) {
        match committed {
            Ok(()) => assert!(!had_failed, "a store that failed takes a record"),
            Err(StoreError::Uncertain(why)) => {
                assert!(!had_failed, "a store that failed writes: {why}");
                assert_eq!(store.condition(), Condition::Failed, "{why}");
            }
            Err(StoreError::Refused(_)) => {}
            Err(StoreError::Damaged(_)) => panic!("a commit reads what is damaged"),
        }
        told.committed(record, &committed);
    }
}

/// Lets the others wait while the first is written, so that they are written in one go.
async fn together<T>(disk: &SimDisk, mut commits: Vec<impl Future<Output = T> + Unpin>) -> Vec<T> {
    let first = commits.remove(0);
    let others = commits;
    if others.is_empty() {
        return vec![first.await];
    }
    let gate = Gate::close(disk);
    match select(first, pin!(gate.reached())).await {
        Either::Right(((), first)) => {
            // Asked last, once all of them wait.
            let open = async { gate.open() };
            let (first, others, ()) = join3(first, join_all(others), open).await;
            std::iter::once(first).chain(others).collect()
        }
        // It came to no write: whether the others did would be chance.
        Either::Left((first, _)) => {
            gate.open();
            let mut answers = vec![first];
            for other in others {
                answers.push(other.await);
            }
            answers
        }
    }
}

/// Opens a store that must be as it was told. Gives what it was told, of which nothing is open.
pub(crate) async fn stands(disk: &SimDisk, mut told: Told) -> Result<Told, String> {
    let store = open(disk).map_err(|error| format!("it does not open: {error}"))?;
    is(&store, &mut told).await?;
    Ok(told)
}

/// Opens a store that must be as it was told, goes on with it, and opens it once more. Gives what
/// it was told in all.
pub(crate) async fn holds(disk: &SimDisk, mut told: Told) -> Result<Told, String> {
    let store = open(disk).map_err(|error| format!("it does not open: {error}"))?;
    is(&store, &mut told).await?;
    goes_on(disk, &store, &mut told).await?;
    drop(store);
    let again = stands(disk, told).await;
    again.map_err(|error| format!("the next time: {error}"))
}

/// A store takes more.
async fn goes_on(disk: &SimDisk, store: &FsStore, told: &mut Told) -> Result<(), String> {
    let before = told.outcomes.clone();
    let steps = [Step::Next(1, &[20]), Step::Together(&[2, 4, 5])];
    live(disk, store, told, &steps).await;
    match told.outcomes.strip_prefix(&before) {
        Some("....") => Ok(()),
        other => Err(format!("it does not go on: {other:?}")),
    }
}
