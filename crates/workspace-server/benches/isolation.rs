//! What a Runtime that hangs costs those who ask another: `cargo bench -p yoi-workspace-server
//! --bench isolation`. The same Backend with and without 64 requests that wait for a Runtime that
//! says nothing, in turn, in one run.

#![allow(clippy::unwrap_used, reason = "what a benchmark cannot go on without")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use yoi_client::{Call, Workers};
use yoi_protocol::{CreateWorker, WorkerId};
use yoi_testkit::{FakeRuntime, TestBackend, TestRuntime, eventually};

const ROUNDS: usize = 7;
const CLIENTS: usize = 8;
const HANGING: usize = 64;
const SECONDS: Duration = Duration::from_secs(2);

fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio.block_on(isolation());
}

async fn isolation() {
    let fine = TestRuntime::builder("fine").start().await;
    let hung = FakeRuntime::start("hung").await;
    let hangs = hung.get_worker("w-1").after(Duration::from_secs(3600));
    let hangs = hangs.any_times().mount().await;
    let backend = TestBackend::builder().remote(&fine).fake(&hung).start();
    let backend = backend.await;
    let create = CreateWorker {
        worker_id: Some(worker()),
        ..CreateWorker::default()
    };
    let workers = backend.workers("fine");
    workers.create(&create, &Call::default()).await.unwrap();

    println!("p99 of GET worker by {CLIENTS} clients, and requests/s ({ROUNDS} rounds, in turn)");
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(asked(&workers).await);
        let before = hangs.received().len();
        let mut hanging = JoinSet::new();
        for _ in 0..HANGING {
            let workers = backend.workers("hung");
            hanging.spawn(async move {
                // Whenever the Backend has given up it is asked again.
                loop {
                    let _ = workers.get(&worker(), &Call::default()).await;
                }
            });
        }
        eventually("they wait", async || {
            match hangs.received().len() - before {
                HANGING.. => Ok(()),
                fewer => Err(fewer),
            }
        })
        .await;
        beside.push(asked(&workers).await);
        hanging.shutdown().await;
    }
    let (alone, beside) = (Median::of(alone), Median::of(beside));
    for (what, median) in [
        ("none hangs", &alone),
        ("64 wait for one that hangs", &beside),
    ] {
        println!(
            "{what:>28}  {:>8.0} µs  {:>6.0}/s",
            median.p99.as_secs_f64() * 1e6,
            median.rate
        );
    }
    let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
    println!("{:>28}  {ratio:>8.2}", "relative p99");
}

fn worker() -> WorkerId {
    WorkerId::parse("w-1").unwrap()
}

/// How long the slowest hundredth took at least, and how many there were.
struct Asked {
    p99: Duration,
    rate: f64,
}

async fn asked(workers: &Workers) -> Asked {
    let until = Instant::now() + SECONDS;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let workers = workers.clone();
        clients.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < until {
                let began = Instant::now();
                workers.get(&worker(), &Call::default()).await.unwrap();
                took.push(began.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = clients.join_all().await.concat();
    took.sort_unstable();
    Asked {
        p99: took[took.len() * 99 / 100],
        rate: took.len() as f64 / SECONDS.as_secs_f64(),
    }
}

/// The medians of some rounds.
struct Median {
    p99: Duration,
    rate: f64,
}

impl Median {
    fn of(mut rounds: Vec<Asked>) -> Self {
        rounds.sort_by_key(|round| round.p99);
        let p99 = rounds[rounds.len() / 2].p99;
        rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        Self {
            p99,
            rate: rounds[rounds.len() / 2].rate,
        }
    }
}
