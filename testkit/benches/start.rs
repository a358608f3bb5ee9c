//! How long a test waits before it can ask: `cargo bench -p yoi-testkit`, or with `--profile dev`
//! as tests are built.

#![allow(clippy::print_stdout, reason = "it is what a benchmark is for")]

use std::time::{Duration, Instant};

use yoi_client::Call;
use yoi_protocol::CreateWorker;
use yoi_testkit::{TestBackend, TestRuntime};

const ROUNDS: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut took = Took::default();
    // The first one also makes what all others share.
    for round in 0..=ROUNDS {
        let began = Instant::now();
        let runtime = TestRuntime::builder("gpu-1").start().await;
        let runtime_up = began.elapsed();
        let backend = TestBackend::builder()
            .embedded("local")
            .remote(&runtime)
            .start()
            .await;
        let both_up = began.elapsed();
        for id in ["local", "gpu-1"] {
            let created = backend
                .workers(id)
                .create(&CreateWorker::default(), &Call::default())
                .await;
            created.expect("a new runtime takes workers");
        }
        if round > 0 {
            took.runtime.push(runtime_up);
            took.backend.push(both_up - runtime_up);
            took.answering.push(began.elapsed());
        }
    }
    println!("{ROUNDS} rounds: min / median / max");
    row("a TestRuntime is up", took.runtime);
    row("a TestBackend is up", took.backend);
    row(
        "both are up, and both runtimes have answered",
        took.answering,
    );
}

#[derive(Default)]
struct Took {
    runtime: Vec<Duration>,
    backend: Vec<Duration>,
    answering: Vec<Duration>,
}

fn row(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    println!("{what}: {min:.1?} / {median:.1?} / {max:.1?}");
}
