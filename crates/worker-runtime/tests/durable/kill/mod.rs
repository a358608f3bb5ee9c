//! Killed at any moment, and started again: nothing acknowledged is missing, nothing is there
//! twice, and every start starts.
//!
//! `YOI_LONG=1` makes it ten times as many rounds, `YOI_SEED=n` draws them again. What is drawn is
//! what is sent and when the process ends; who is answered first is the machine's.

mod check;
mod client;
mod ledger;
mod plan;
mod stage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::house::House;
use check::{Scope, check};
use client::Client;
use plan::Ending;
use stage::Stage;

/// How many command it at a time.
const CLIENTS: usize = 8;

/// A run of `slow` goes on for as long as somebody hears it.
const FILE: &str = r#"
[profiles.slow]
executor = "command"
program = "/bin/sh"
args = ["-c", "echo working; while echo . >&2; do sleep 0.2; done"]
kill_grace_ms = 100

[runtime]
id = "rt-kill"
"#;

/// What happened, for whoever reads the output.
#[derive(Debug, Default)]
struct Figures {
    rounds: u32,
    starts: u32,
    acknowledged: u64,
    asked: u32,
    tidied: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_missing_after_a_kill() {
    let seed = plan::seed();
    println!("YOI_SEED={seed}");
    let began = Instant::now();
    // More than is ever written; with it come segments of 4 MiB.
    let store = "store = { kind = \"fs\", path = \"data\", max_bytes = 67108864 }\n";
    let figures = rounds(&format!("{FILE}{store}"), false, seed).await;
    println!("{figures:?} in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_kept_is_missing_after_a_kill_of_a_store_with_bounds() {
    let seed = plan::seed();
    println!("YOI_SEED={seed}");
    let began = Instant::now();
    let store = "store = { kind = \"fs\", path = \"data\", max_bytes = 1048576 }\n";
    let figures = rounds(&format!("{FILE}{store}"), true, seed).await;
    println!("{figures:?} in {:?}", began.elapsed());
    assert!(figures.tidied > 0, "nothing was ever given up: {figures:?}");
}

/// All clients command the process until it has ended.
async fn act(
    house: &House,
    stage: Stage,
    clients: Vec<Client>,
    round: u32,
    rng: &mut Rng,
) -> (Stage, Vec<Client>, bool) {
    let stage = Arc::new(stage);
    let acting: Vec<JoinHandle<Client>> = clients
        .into_iter()
        .map(|mut client| {
            let stage = Arc::clone(&stage);
            let mut rng = rng.fork();
            tokio::spawn(async move {
                client.act(&stage, round, &mut rng).await;
                client
            })
        })
        .collect();
    let has_tidied = stage.watch_over(&house.data()).await;
    let mut clients = Vec::new();
    for acting in acting {
        clients.push(acting.await.expect("a client that found nothing wrong"));
    }
    if matches!(stage.ending, Ending::KilledQuiet(_)) {
        clients[0].act_last(&stage, round, rng).await;
    }
    let stage = Arc::into_inner(stage).expect("nobody acts any more");
    (stage, clients, has_tidied)
}

/// Kills the starts that this ending asks for, at any moment of what the last one took; gives how
/// many.
fn kill_starts(house: &House, ending: Ending, last: Duration, rng: &mut Rng) -> u32 {
    let Ending::KilledStarting(_, count) = ending else {
        return 0;
    };
    for _ in 0..count {
        let after = last.mul_f64(rng.f64());
        house.kill_start(after);
    }
    count
}

#[expect(
    clippy::print_stdout,
    reason = "what a test that fails has done is shown"
)]
async fn rounds(file: &str, is_bounded: bool, seed: u64) -> Figures {
    let house = House::configured(file);
    let mut rng = Rng::with_seed(seed);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client::new(number, is_bounded))
        .collect();
    let mut figures = Figures::default();
    let mut process = house.start(&[]);
    let api = Api::new(process.url());
    let mut said = 0;
    let mut start = Duration::ZERO;
    let count = plan::rounds();
    for round in 0..count {
        let ending = plan::ending(&mut rng, round, is_bounded);
        println!("round {round}: {ending:?}");
        let stage = Stage::new(&api, process, ending, said);
        let act = act(&house, stage, clients, round, &mut rng);
        let (stage, acted, has_tidied) = act.await;
        clients = acted;
        said = stage.said();
        figures.acknowledged += stage.end();
        figures.tidied += u32::from(has_tidied);
        figures.asked += u32::from(matches!(ending, Ending::Asked(_)));
        figures.starts += kill_starts(&house, ending, start, &mut rng);
        let began = Instant::now();
        process = house.start(&[]);
        start = began.elapsed();
        let scope = Scope {
            api: api.at(process.url()),
            round,
            is_bounded,
            is_whole: round + 1 == count,
            said,
            seed: rng.u64(..),
        };
        let was_asked = matches!(ending, Ending::Asked(_));
        check(&scope, &mut clients, was_asked).await;
        figures.rounds += 1;
        figures.starts += 1;
    }
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0));
    figures
}
