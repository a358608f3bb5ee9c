//! Operations that fail, each in turn and in each way that it can: what was acknowledged is there,
//! what was refused is not, and of the rest nobody can tell but whoever starts next.

mod ways;

use std::io::ErrorKind;

use worker_runtime::store::fs::{FsStore, OpenError};
use worker_runtime::{Condition, Store};

use crate::history::{STEPS, Step, Told, holds, is, live, open, stands};
use crate::power::{has_time, made, untidy};
use crate::sim::{Fault, Kind, Loss, Nth, Op, SimDisk};
use ways::{Way, ways};

/// What happens after a failure is seen by as many steps.
const AFTER: usize = 3;

/// Lives until a failure comes to happen, and gives what the next process finds then; then a
/// little more.
async fn live_with(
    fault: &Fault,
    steps: &[Step],
    (disk, store): (&SimDisk, &FsStore),
    told: &mut Told,
) -> (SimDisk, Told) {
    let mut steps = steps.iter();
    while fault.fired() == 0
        && let Some(step) = steps.next()
    {
        live(disk, store, told, &[*step]).await;
    }
    let at_once = (disk.killed(), told.clone());
    if fault.fired() > 0 {
        let after = steps.chain(&[Step::Next(1, &[]); AFTER]).take(AFTER);
        let after: Vec<_> = after.copied().collect();
        live(disk, store, told, &after).await;
    }
    at_once
}

fn failed(disk: &SimDisk) -> Option<Op> {
    let ops = disk.ops();
    let is_ours = |op: &Op| op.failed.is_some_and(|kind| kind != ErrorKind::NotFound);
    ops.into_iter().find(is_ours)
}

/// Holds a store to what it is once this way of failing happened.
fn is_as_it_says(store: &FsStore, disk: &SimDisk, told: &Told, way: &Way) -> Result<(), String> {
    let failed = failed(disk).unwrap();
    let condition = store.condition();
    let since: Vec<Op> = disk.ops().split_off(failed.index + 1);
    let outcomes = &told.outcomes;
    if way.is_sync() {
        if condition != Condition::Failed {
            return Err(format!("it is {condition:?} after a sync that failed"));
        }
        let again = since
            .iter()
            .find(|op| op.kind == failed.kind && op.file == failed.file);
        if let Some(op) = again {
            return Err(format!("it syncs again: {op:?}"));
        }
    } else if condition == Condition::Failed && !matches!(failed.kind, Kind::Write) {
        return Err("it takes no more for a failure that changed nothing".to_owned());
    }
    if condition == Condition::Failed {
        let told = store.diagnostics();
        if told.iter().all(|one| one.code != "store_failed") {
            return Err(format!("it says {told:?}"));
        }
    }
    if way.is_full() && condition != Condition::Sound {
        return Err(format!("it is {condition:?} after the disk was full"));
    }
    let goes_on = outcomes.ends_with('.');
    if goes_on == (condition == Condition::Failed) {
        return Err(format!("it is {condition:?} and answered {outcomes}"));
    }
    Ok(())
}

/// What the next process finds, after a kill and after a power loss; after a sync that failed also
/// what a power loss leaves of what it goes on with.
async fn is_found(disk: &SimDisk, told: &Told, was_sync: bool) -> Result<(), String> {
    let losses = [Loss::Everything, Loss::Nothing, Loss::Seed(1)];
    for loss in &losses[..if has_time() { 3 } else { 1 }] {
        let stood = stands(&disk.power_loss(*loss), told.clone()).await;
        stood.map_err(|error| format!("{loss:?}: {error}"))?;
    }
    let killed = disk.killed();
    let held = holds(&killed, told.clone()).await;
    let told = held.map_err(|error| format!("after a kill: {error}"))?;
    if was_sync || has_time() {
        let stood = stands(&killed.power_loss(Loss::Everything), told).await;
        stood.map_err(|error| format!("when the power is lost after a kill: {error}"))?;
    }
    Ok(())
}

/// Each operation in turn, from the opening of the disk on.
async fn each_fails(base: &SimDisk, before: &Told, steps: &'static [Step]) {
    let found = found(base, before).await;
    let reference = base.killed();
    let store = open(&reference).unwrap();
    live(&reference, &store, &mut found.clone(), steps).await;
    drop(store);
    let mut broken = Vec::new();
    for op in reference.ops() {
        for way in ways(&op) {
            let disk = base.killed();
            let fault = disk.fail(Nth::op(op.index), way.failure());
            let is_kept = match open(&disk) {
                Ok(store) => {
                    let mut told = found.clone();
                    let at_once = live_with(&fault, steps, (&disk, &store), &mut told).await;
                    let as_it_says = match fault.fired() {
                        // It is one of those that close it.
                        0 => Ok(()),
                        _ => is_as_it_says(&store, &disk, &told, &way),
                    };
                    drop(store);
                    let stood = stands(&at_once.0, at_once.1).await;
                    match as_it_says.and(stood) {
                        Ok(_) => is_found(&disk, &told, way.is_sync()).await,
                        Err(instead) => Err(instead),
                    }
                }
                Err(OpenError::Unusable { .. }) => is_found(&disk, before, way.is_sync()).await,
                Err(error) => Err(format!("it does not open: {error}")),
            };
            drop(fault);
            if let Err(instead) = is_kept {
                broken.push(format!("{way:?} at {op:?}: {instead}"));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "{}: {}",
        broken.len(),
        broken.join("\n\n")
    );
}

/// What a start finds, when none of it fails.
async fn found(disk: &SimDisk, before: &Told) -> Told {
    let mut told = before.clone();
    let store = open(&disk.killed()).unwrap();
    is(&store, &mut told).await.unwrap();
    told
}

#[tokio::test]
async fn each_operation_of_a_life_fails() {
    each_fails(&made(), &Told::default(), STEPS).await;
}

const BEGINS: &[Step] = &[Step::Next(1, &[1])];

#[tokio::test]
async fn each_operation_of_making_a_store_fails() {
    each_fails(&SimDisk::new(), &Told::default(), BEGINS).await;
}

/// On what the power left: a torn go, a segment whose end was not cut off, one that is not used,
/// and files that were replaced.
#[tokio::test]
async fn each_operation_of_a_start_that_has_something_to_do_fails() {
    let step = if has_time() { 1 } else { 7 };
    for (disk, told) in untidy().await.iter().step_by(step) {
        each_fails(disk, told, BEGINS).await;
    }
}

/// A bug in the writer, or under it, ends the store and not whoever waits for it.
#[tokio::test]
async fn nobody_waits_for_a_writer_that_is_gone() {
    let (disk, mut told) = (made(), Told::default());
    let store = open(&disk).unwrap();
    live(&disk, &store, &mut told, &STEPS[..5]).await;
    let panics = Nth::when(0, |op| op.kind == Kind::Sync && panic!("a bug"));
    let fault = disk.fail(panics, Way::Io.failure()).optional();
    live(&disk, &store, &mut told, &STEPS[5..9]).await;
    drop(fault);
    assert_eq!(told.outcomes, ".....?-----");
    assert_eq!(store.condition(), Condition::Failed);
    drop(store);
    is_found(&disk, &told, true).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    for taken in 0..12 {
        let (disk, mut told) = (made(), Told::default());
        let store = open(&disk).unwrap();
        let mut steps = STEPS.iter();
        live(&disk, &store, &mut told, &[Step::Next(1, &[1])]).await;
        disk.set_capacity(disk.used() + taken * 512);
        while !told.outcomes.ends_with("---") {
            live(&disk, &store, &mut told, &[*steps.next().unwrap()]).await;
            assert_eq!(store.condition(), Condition::Sound);
        }
        disk.set_capacity(u64::MAX);
        let before = told.outcomes.len();
        live(&disk, &store, &mut told, &STEPS[..20]).await;
        assert!(told.outcomes[before..].bytes().all(|one| one == b'.'));
        drop(store);
        let found = is_found(&disk, &told, true).await;
        found.unwrap_or_else(|error| panic!("{taken} sectors: {error}"));
    }
}
