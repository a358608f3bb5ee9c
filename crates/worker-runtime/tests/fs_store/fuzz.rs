//! Whatever is in the files: a start, a repair and an export say what is wrong, and serve nothing
//! that was never written.
//!
//! Each case spoils a store in a few places. `YOI_FUZZ_SECONDS=n` goes on for so long,
//! `YOI_SEED=n` begins with the case of that seed, which a failure prints.

#![allow(
    clippy::print_stdout,
    reason = "what was drawn is told with the test that failed"
)]

mod rules;
mod spoil;

use fastrand::Rng;
use worker_runtime::store::fs::export_from;
use worker_runtime::store::fs::repair::{inspect_on, repair_onto};
use worker_runtime::{Condition, Store};
use yoi_testkit::Fuzz;

use crate::history::{STEPS, Told, is, live, open};
use crate::power::made;
use crate::sim::{Loss, SimDisk};
use rules::{Served, exported, served};
use spoil::{Spoiled, forge, spoil};

/// How many cases there are where no time is given.
const CASES: u64 = 100;

/// A store as it was left at some point of its life.
struct Base {
    disk: SimDisk,
    told: Told,
}

async fn bases() -> Vec<Base> {
    let mut bases = Vec::new();
    for steps in (5..=STEPS.len()).step_by(4).chain([STEPS.len()]) {
        let disk = made();
        let mut told = Told::default();
        let store = open(&disk).unwrap();
        live(&disk, &store, &mut told, &STEPS[..steps]).await;
        let killed = disk.killed();
        drop(store);
        for disk in [killed, disk.power_loss(Loss::Nothing)] {
            let told = told.clone();
            bases.push(Base { disk, told });
        }
    }
    bases
}

/// Spoils stores, one case after the other, and holds what comes of each to the rules.
async fn fuzz(how: fn(&mut Rng, &mut Spoiled), served_is: Served) {
    let bases = bases().await;
    let (mut opened, mut repaired) = (0_u64, 0_u64);
    let cases = Fuzz::cases(CASES)
        .run(async |seed| {
            let mut rng = Rng::with_seed(seed);
            let base = &bases[rng.usize(..bases.len())];
            let mut spoiled = Spoiled::new(base.disk.files());
            for _ in 0..=rng.u8(..3) {
                how(&mut rng, &mut spoiled);
            }
            let (opens, repairs) = case(base, &spoiled, served_is)
                .await
                .map_err(|error| format!("{error}: {:#?}", spoiled.said))?;
            opened += u64::from(opens);
            repaired += u64::from(repairs);
            Ok::<_, String>(())
        })
        .await;
    println!("{cases} cases: {opened} opened, {repaired} were repaired");
    // Of few cases chance may leave none that opens.
    let is_fair =
        cases <= CASES || (opened * 50 > cases && repaired * 50 > cases && opened < cases);
    assert!(is_fair, "hardly anything was tried");
}

/// Whether the store opened, and whether it could be repaired.
async fn case(base: &Base, spoiled: &Spoiled, rule: Served) -> Result<(bool, bool), String> {
    let told = &base.told;
    let disk = SimDisk::from_files(spoiled.files.clone());
    let mut lines = Vec::new();
    if export_from(&disk, None, &mut lines).is_ok() {
        exported(&lines, told, rule)?;
    }
    let new = SimDisk::new();
    let inspected = inspect_on(&disk);
    let repaired = repair_onto(&disk, &new);
    if inspected != repaired {
        return Err(format!("said {inspected:?}, did {repaired:?}"));
    }
    let is_repaired = repaired.is_ok();
    if is_repaired {
        let store = open(&new).map_err(|error| format!("repaired: {error}"))?;
        served(&store, told, rule).await?;
    }
    let opened = open(&disk);
    let is_open = opened.is_ok();
    let is_whole = inspected.is_ok_and(|found| found.is_whole());
    if let (Err(refused), true, Served::WhatWasTold) = (&opened, is_whole, rule) {
        return Err(format!("a start says: {refused}; a repair: it is whole"));
    }
    if let Ok(store) = opened {
        let condition = store.scrub().await;
        served(&store, told, rule).await?;
        // As long as the mark says how far it went, what is not said to be damaged is all there.
        let is_marked = spoiled.files.get("HEAD") == base.disk.files().get("HEAD");
        if rule == Served::WhatWasTold && is_marked && condition == Condition::Sound {
            is(&store, &mut told.clone()).await?;
        }
        store.maintain().await;
        let said = store.diagnostics();
        if said.iter().any(|one| one.code == "store_unattended") {
            return Err(format!("looking after it failed: {said:?}"));
        }
        served(&store, told, rule).await?;
    }
    Ok((is_open, is_repaired))
}

/// Damage of any kind, by accident.
#[tokio::test]
async fn files_that_are_spoiled() {
    fuzz(spoil, Served::WhatWasTold).await;
}

/// Lines that say something else, and are signed: nothing is known to be true then, but nobody
/// panics, hangs or takes all memory.
#[tokio::test]
async fn lines_that_are_forged() {
    fuzz(forge, Served::Anything).await;
}
