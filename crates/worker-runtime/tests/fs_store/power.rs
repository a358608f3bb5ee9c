//! Power that is lost at any moment, and anything with it that was not synced: what was
//! acknowledged is there, and the store goes on.

mod losses;

use std::collections::HashSet;
use std::sync::Arc;

use worker_runtime::Store;
use worker_runtime::store::fs::{FsStore, Retention};
use yoi_protocol::Limits;

use crate::history::{ALL, STEPS, Step, Told, holds, is, live, open, options, stands};
use crate::sim::{Kind, Loss, Op, SimDisk};
use losses::{losses, print};

pub(crate) use losses::has_time;

/// The disk of a store that was made, and closed.
pub(crate) fn made() -> SimDisk {
    let disk = SimDisk::new();
    drop(open(&disk).unwrap());
    disk.killed()
}

/// Goes through the life, or as far as the disk lets it.
pub(crate) async fn lived(disk: &SimDisk) -> Told {
    let mut told = Told::default();
    if let Ok(store) = open(disk) {
        live(disk, &store, &mut told, STEPS).await;
    }
    told
}

fn last_op(disk: &SimDisk) -> String {
    let ops = disk.ops();
    ops.last().map_or_else(String::new, |op| format!("{op:?}"))
}

#[tokio::test]
async fn the_life_goes_through_all_that_a_store_does() {
    let disk = made();
    let told = lived(&disk).await;
    assert!(told.outcomes.bytes().all(|one| one == b'.'));
    let done = |kind| {
        let is_it = |op: &Op| op.kind == kind && op.file.contains(".log") && op.failed.is_none();
        disk.ops().iter().filter(|op| is_it(op)).count()
    };
    let made_anew = done(Kind::Rename);
    assert_eq!(made_anew, 3, "segments are made one, and some anew");
    assert_eq!(done(Kind::Remove), 2, "and those before are gone");
    assert_eq!(done(Kind::Create) - made_anew, 8, "segments");
    let is_one_go = |op: &Op| op.kind == Kind::Write && op.len > 3 * 512;
    let gos = disk.ops().iter().filter(|op| is_one_go(op)).count();
    assert!(gos > 3, "several records, or an index, in one go: {gos}");
    holds(&disk.killed(), told).await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_survives_whatever_is_lost_with_the_power() {
    let (base, mut seen) = (made(), HashSet::new());
    for stop in 0.. {
        let disk = base.killed();
        disk.stop_at(stop);
        let told = lived(&disk).await;
        for (number, loss) in (0..).zip(losses(&disk)) {
            let after = disk.power_loss(loss);
            if !seen.insert(print(&after, &told)) {
                continue;
            }
            // Whoever stands goes on, and for some it is tried.
            let held = match number {
                0..3 => holds(&after, told.clone()).await,
                _ => stands(&after, told.clone()).await,
            };
            held.unwrap_or_else(|error| panic!("{loss:?} after {}: {error}", last_op(&disk)));
        }
        if !disk.stopped() {
            break;
        }
    }
}

/// The same with a store that gives events up for their bytes, and takes them off the disk.
#[tokio::test]
async fn what_is_kept_survives_while_the_rest_is_given_up() {
    let mut retention = Retention::of(&Limits::default());
    retention.max_bytes = Some(12 * 1024);
    let options = options().retention(retention);
    let open = |disk: &SimDisk| FsStore::open_on(Arc::new(disk.clone()), options.clone());
    let (base, mut given_up) = (made(), 0);
    for stop in (0..).step_by(if has_time() { 1 } else { 3 }) {
        let disk = base.killed();
        disk.stop_at(stop);
        let mut told = Told::default();
        told.gives_up = true;
        if let Ok(store) = open(&disk) {
            live(&disk, &store, &mut told, STEPS).await;
            live(&disk, &store, &mut told, &[Step::Maintain; 2]).await;
        }
        let losses = losses(&disk).into_iter().map(|loss| disk.power_loss(loss));
        for after in losses.chain([disk.killed()]) {
            let store = open(&after).unwrap_or_else(|error| panic!("{error}: {}", last_op(&disk)));
            let kept = is(&store, &mut told.clone()).await;
            kept.unwrap_or_else(|error| panic!("{error}, after {}", last_op(&disk)));
            let log = told.log(1);
            if told.logs.contains_key(&log) {
                given_up += store.events(&log, ALL).await.unwrap().first_seq - 1;
            }
        }
        if !disk.stopped() {
            break;
        }
    }
    assert!(given_up > 0, "nothing was given up");
}

/// What was written and not synced is read by who starts after a kill, and a power loss may take
/// it still.
#[tokio::test]
async fn what_a_start_after_a_kill_found_survives_the_power() {
    let (base, mut seen) = (made(), HashSet::new());
    for stop in 0.. {
        let disk = base.killed();
        disk.stop_at(stop);
        let told = lived(&disk).await;
        let next = disk.killed();
        if seen.insert((print(&next, &told), next.pieces())) {
            let held = killed(&next, told).await;
            held.unwrap_or_else(|error| panic!("after {}: {error}", last_op(&disk)));
        }
        if !disk.stopped() {
            break;
        }
    }
}

async fn killed(disk: &SimDisk, told: Told) -> Result<(), String> {
    // Whoever only reads is served what lasts.
    let reading = disk.killed();
    let told = stands(&reading, told).await?;
    let lost = reading.power_loss(Loss::Everything);
    let stood = stands(&lost, told.clone()).await;
    stood.map_err(|error| format!("once it was read: {error}"))?;
    let told = holds(disk, told).await?;
    let stood = stands(&disk.power_loss(Loss::Everything), told).await;
    stood.map_err(|error| format!("once it went on: {error}"))?;
    Ok(())
}

#[tokio::test]
async fn a_store_that_is_being_made_is_made_or_not() {
    for stop in 0.. {
        let disk = SimDisk::new();
        disk.stop_at(stop);
        drop(open(&disk));
        let disks = [disk.killed(), disk.clone()];
        for disk in &disks {
            for (loss, after) in disk.power_losses() {
                let held = holds(&after, Told::default()).await;
                held.unwrap_or_else(|error| panic!("{loss:?} after {}: {error}", last_op(disk)));
            }
        }
        if !disk.stopped() {
            break;
        }
    }
}

/// The power is lost again while a start cuts a tail, ends a segment, or takes away what is left
/// over.
#[tokio::test]
async fn a_start_is_cut_short_as_well() {
    let disks = untidy().await;
    assert!(disks.len() > 8, "{}", disks.len());
    for (disk, told) in disks {
        starts_in_pieces(&disk, &told).await;
    }
}

/// What a life left, cut short, on which the next start has something to do.
pub(crate) async fn untidy() -> Vec<(SimDisk, Told)> {
    let (base, mut seen, mut found) = (made(), HashSet::new(), Vec::new());
    for stop in (0..).step_by(if has_time() { 1 } else { 3 }) {
        let disk = base.killed();
        disk.stop_at(stop);
        let told = lived(&disk).await;
        for loss in [Loss::Nothing, Loss::Seed(stop as u64)] {
            let left = disk.power_loss(loss);
            if is_untidy(&left) && seen.insert(print(&left, &told)) {
                found.push((left, told.clone()));
            }
        }
        if !disk.stopped() {
            return found;
        }
    }
    found
}

/// Whether a start changes what is there.
fn is_untidy(disk: &SimDisk) -> bool {
    let disk = disk.killed();
    let store = open(&disk).unwrap();
    disk.count(Kind::Remove) > 0 || !store.diagnostics().is_empty()
}

async fn starts_in_pieces(found: &SimDisk, told: &Told) {
    let mut seen = HashSet::new();
    for stop in 0.. {
        let disk = found.killed();
        disk.stop_at(stop);
        drop(open(&disk));
        for loss in losses(&disk) {
            let after = disk.power_loss(loss);
            if seen.insert(print(&after, told)) {
                let stood = stands(&after, told.clone()).await;
                stood.unwrap_or_else(|error| {
                    panic!("{loss:?} at a start, after {}: {error}", last_op(&disk))
                });
            }
        }
        if !disk.stopped() {
            break;
        }
    }
}
