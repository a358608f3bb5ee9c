//! What is held in memory.

use std::process::Command;

use worker_runtime::{CommandContext, Runtime};
use yoi_protocol::{CreateWorker, RuntimeId};

use crate::Place;
use crate::sample::{Writer, open};

/// The bytes of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap();
    kib * 1024
}

/// Says what a process that measures memory is to measure: each does so in one of its own, where
/// nothing was freed before.
pub(crate) const ALONE: &str = "YOI_BENCH_MEMORY";

const WORKERS: &str = "workers";
const ENTRIES: &str = "entries";
const ANSWERS: &str = "answers";

/// Measures what is held in memory.
pub(crate) fn measure(place: &Place) {
    println!("\nmemory");
    for what in [WORKERS, ENTRIES, ANSWERS] {
        let measured = Command::new(std::env::current_exe().unwrap())
            .arg(&place.0)
            .env(ALONE, what)
            .status();
        assert!(measured.unwrap().success());
    }
}

pub(crate) async fn alone(what: &str, place: &Place) {
    match what {
        WORKERS => workers(place).await,
        ENTRIES => entries(place, false).await,
        _ => entries(place, true).await,
    }
}

/// Idle Workers in a Runtime that was started on them.
async fn workers(place: &Place) {
    const COUNT: usize = 100_000;
    let folder = place.folder();
    let id = RuntimeId::parse("bench").unwrap();
    {
        let store = open(folder.path());
        let runtime = Runtime::builder(id.clone())
            .store(store)
            .start()
            .await
            .unwrap();
        for _ in 0..COUNT / 1_000 {
            let create = |_| {
                let runtime = runtime.clone();
                async move {
                    runtime
                        .create_worker(CreateWorker::default(), CommandContext::default())
                        .await
                        .unwrap();
                }
            };
            futures_util::future::join_all((0..1_000).map(create)).await;
        }
    }
    let before = resident();
    let runtime = Runtime::builder(id)
        .store(open(folder.path()))
        .start()
        .await
        .unwrap();
    let each = resident().saturating_sub(before) / COUNT as u64;
    assert_eq!(runtime.info().workers.total, COUNT as u64);
    println!("{each:6} bytes an idle Worker (of {COUNT}, after a start)");
}

/// Entries of a hundred bytes in a store, and whether each came with an answer to remember.
async fn entries(place: &Place, with_answers: bool) {
    const COUNT: usize = 600_000;
    const WORKERS: usize = 100;
    let folder = place.folder();
    let store = open(folder.path());
    let mut writers = Vec::new();
    for number in 0..WORKERS {
        writers.push(Writer::create(&store, number).await.answering(with_answers));
    }
    let before = resident();
    for _ in 0..COUNT / WORKERS / 2 {
        let turns = writers.iter_mut().map(|writer| async {
            let run_id = writer.input(&store).await;
            writer.finish(&store, run_id).await;
        });
        futures_util::future::join_all(turns).await;
    }
    let each = resident().saturating_sub(before) as f64 / COUNT as f64;
    drop(store);
    let beside = if with_answers {
        ", each input with an answer to remember"
    } else {
        ""
    };
    println!("{each:6.1} bytes an entry of 100 bytes (of {COUNT}{beside})");
}
