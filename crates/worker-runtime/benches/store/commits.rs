//! What a commit costs: beside the raw disk, with a long past, with many Workers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use worker_runtime::store::fs::FsStore;

use crate::sample::{Writer, open};
use crate::{Place, median, raw};

/// Each figure is the median of so many rounds, of one kind after the other in each.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(700);

/// Inputs a second that are acknowledged, by so many clients, each with a Worker of its own.
pub(crate) async fn throughput(place: &Place) {
    println!("acknowledged inputs/s (median of {ROUNDS} rounds, in turn)");
    println!("clients   store  raw one at a time  raw group commit    to one  to group");
    for clients in [1, 8, 64] {
        let (mut ours, mut one, mut group) = (Vec::new(), Vec::new(), Vec::new());
        let (folder, bare) = (place.folder(), place.folder());
        let store = open(folder.path());
        let mut writers = create(&store, clients).await;
        for _ in 0..ROUNDS {
            one.push(raw::one_at_a_time(bare.path(), ROUND));
            group.push(raw::group_commit(bare.path(), clients, ROUND));
            ours.push(for_a_while(&store, &mut writers).await);
        }
        let [ours, one, group] = [ours, one, group].map(median);
        println!(
            "{clients:7} {ours:7.0} {one:18.0} {group:17.0} {:9.2} {:9.2}",
            ours / one,
            ours / group
        );
    }
}

async fn create(store: &FsStore, count: usize) -> Vec<Writer> {
    let creating = (0..count).map(|number| Writer::create(store, number));
    futures_util::future::join_all(creating).await
}

async fn for_a_while(store: &Arc<FsStore>, writers: &mut Vec<Writer>) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = std::mem::take(writers)
        .into_iter()
        .map(|mut writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut count = 0;
                while began.elapsed() < ROUND {
                    // Only the input is counted, but a run is active once: its end is beside it.
                    let run_id = writer.input(&store).await;
                    count += 1;
                    writer.finish(&store, run_id).await;
                    count += 1;
                }
                (writer, count)
            })
        })
        .collect();
    let mut all = 0;
    for task in tasks {
        let (writer, count) = task.await.unwrap();
        writers.push(writer);
        all += count;
    }
    f64::from(all) / began.elapsed().as_secs_f64()
}

/// The time of `count` inputs, one after the other, in microseconds each.
async fn each(store: &FsStore, writer: &mut Writer, count: u32) -> f64 {
    let began = Instant::now();
    for _ in 0..count {
        let run_id = writer.input(store).await;
        writer.finish(store, run_id).await;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(2 * count)
}

/// What a record costs after so many.
pub(crate) async fn history(place: &Place) {
    println!("\na record after so many inputs of one Worker (median of {ROUNDS}, in turn)");
    let mut figures = [10u32, 1_000, 5_000].map(|past| (past, Vec::new()));
    let folders = [place.folder(), place.folder(), place.folder()];
    let stores = folders.each_ref().map(|folder| open(folder.path()));
    let mut writers = Vec::new();
    for (store, (past, _)) in stores.iter().zip(&figures) {
        let mut writer = Writer::create(store, 0).await;
        each(store, &mut writer, *past).await;
        writers.push(writer);
    }
    for _ in 0..ROUNDS * 3 {
        for ((store, writer), (_, all)) in stores.iter().zip(&mut writers).zip(&mut figures) {
            all.push(each(store, writer, 20).await);
        }
    }
    let least = median(figures[0].1.clone());
    for (past, all) in figures {
        let figure = median(all);
        println!("{past:6} inputs {figure:8.0} µs  {:.2}", figure / least);
    }
}

/// What a record costs beside so many Workers.
pub(crate) async fn workers(place: &Place) {
    println!("\na record with so many Workers, each of whom is written to (64 at a time)");
    let mut figures = [64usize, 1_000].map(|count| (count, Vec::new()));
    let folders = [place.folder(), place.folder()];
    let stores = folders.each_ref().map(|folder| open(folder.path()));
    let mut all = Vec::new();
    for (store, (count, _)) in stores.iter().zip(&figures) {
        let mut writers = Vec::new();
        while writers.len() < *count {
            writers.extend(create(store, 64.min(count - writers.len())).await);
        }
        all.push(writers);
    }
    for _ in 0..ROUNDS {
        for ((store, writers), (_, figures)) in stores.iter().zip(&mut all).zip(&mut figures) {
            let began = Instant::now();
            let mut done = 0;
            while done < 4_000 {
                for some in writers.chunks_mut(64) {
                    done += some.len() * 2;
                    let turns = some.iter_mut().map(|writer| async {
                        let run_id = writer.input(store).await;
                        writer.finish(store, run_id).await;
                    });
                    futures_util::future::join_all(turns).await;
                }
            }
            figures.push(began.elapsed().as_secs_f64() * 1e6 / done as f64);
        }
    }
    let least = median(figures[0].1.clone());
    for (count, all) in figures {
        let figure = median(all);
        println!("{count:6} workers {figure:7.1} µs  {:.2}", figure / least);
    }
}

/// The bytes that a durable input of a hundred bytes takes on the disk, index and all.
pub(crate) async fn bytes(place: &Place) {
    println!("\nbytes on the disk for an input of 100 bytes, and with the run that says 100 more");
    for count in [1usize, 1_000] {
        let folder = place.folder();
        let store = open(folder.path());
        let mut writers = create(&store, count).await;
        let inputs = 40_000 / count;
        let before = used(folder.path());
        for _ in 0..inputs {
            let turns = writers.iter_mut().map(|writer| async {
                let run_id = writer.input(&store).await;
                writer.finish(&store, run_id).await;
            });
            futures_util::future::join_all(turns).await;
        }
        let turn = (used(folder.path()) - before) as f64 / (inputs * count) as f64;
        println!("{count:6} workers {:6.0} {turn:6.0}", raw::RECORD_BYTES);
    }
}

/// The bytes of all segments that are written, without the room that is only taken.
fn used(folder: &std::path::Path) -> u64 {
    let mut all = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0);
        all += end.map_or(0, |end| end as u64 + 1);
    }
    all
}
