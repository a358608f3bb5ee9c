//! A Backend or two, several Runtimes and their clients on a simulated network, in simulated time:
//! links are cut, held and slow, machines crash and come back, clocks jump. Whatever a seed brings,
//! what was promised holds.
//!
//! `YOI_SEEDS=10000` tries more seeds than the tests do, beginning with `YOI_FIRST_SEED`. What
//! fails names its seed, and `YOI_FIRST_SEED=n YOI_SEEDS=1` does exactly the same again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod auditor;
mod client;
mod commander;
mod judge;
mod ledger;
mod net;
mod network;
mod plan;
mod talker;
mod watcher;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use plan::Plan;

/// How many seeds the tests try.
const SEEDS: u64 = 100;

#[test]
fn whatever_a_seed_brings_what_was_promised_holds() {
    let first = number("YOI_FIRST_SEED").unwrap_or(0);
    let seeds = number("YOI_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + seeds {
                            return failed;
                        }
                        let run = AssertUnwindSafe(|| world::run(&Plan::of(seed)));
                        if catch_unwind(run).is_err() {
                            failed.push(seed);
                        }
                    }
                })
            })
            .collect();
        let failed = workers.into_iter().map(|worker| worker.join().unwrap());
        failed.flatten().collect()
    });
    assert!(
        failed.is_empty(),
        "{} of {seeds} seeds fail: {failed:?}; YOI_FIRST_SEED={} YOI_SEEDS=1 repeats the first",
        failed.len(),
        failed[0]
    );
}

#[test]
fn a_seed_is_always_the_same_run() {
    for seed in 0..3 {
        let plan = Plan::of(seed);
        let (one, other) = (world::run(&plan), world::run(&plan));
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
    assert_ne!(world::run(&Plan::of(1)), world::run(&Plan::of(2)));
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}
