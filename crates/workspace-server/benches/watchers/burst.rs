//! Many events at once to one watcher.

use std::time::Duration;

use crate::load::Load;
use crate::stage::{Door, Stage};

const EVENTS: u64 = 50_000;
const ROUNDS: usize = 3;

pub(crate) async fn measure(stage: &Stage) {
    println!("\na burst of {EVENTS} events to one watcher ({ROUNDS} rounds, in turn)");
    println!("watcher of   told  never told  came back  seconds");
    for _ in 0..ROUNDS {
        for door in Door::BOTH {
            let load = Load::Burst { pieces: EVENTS };
            let report = stage.play(door, 1, load).await.report;
            println!(
                "{:<10} {:>6}  {:>10}  {:>9}  {:>7.2}",
                door.name(),
                report.pieces,
                EVENTS - report.pieces,
                report.came_back,
                Duration::from_micros(report.took_us).as_secs_f64(),
            );
        }
    }
}
