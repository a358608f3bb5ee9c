//! Many watchers of one busy Worker: how many frames a second reach them all, in time.

use crate::load::Load;
use crate::stage::{Door, Played, Stage};

/// How long each rate is kept up.
const SECONDS: u64 = 3;
/// What the slowest hundredth may be late.
const IN_TIME_US: u64 = 100_000;
/// The first rate, in frames a second to all watchers, and how much greater the next one is.
const FIRST: u64 = 100_000;
const STEP: f64 = 1.2;
/// How much of a rate is to have been delivered for it to count as kept up.
const KEPT_UP: f64 = 0.97;

/// Raises the rate until it is too much.
pub(crate) async fn measure(stage: &Stage) {
    println!(
        "many watchers of one busy Worker: the highest rate that all of them were told whole, \
         p99 of the delay < {} ms, and the first that was too much ({SECONDS} s each)",
        IN_TIME_US / 1_000
    );
    println!(
        "watchers  of           frames/s    whole  came back  p50 ms  p99 ms  max ms  \
         processors: Runtime  Backend  watchers  upstreams"
    );
    for count in [100, 1_000] {
        let mut best = Vec::new();
        for door in Door::BOTH {
            let (kept, too_much) = highest(stage, door, count).await;
            for played in kept.iter().chain([&too_much]) {
                row(door, count, played);
            }
            best.push(kept.map_or(0.0, |played| played.report.frames_per_second()));
        }
        println!("{count:>8}  {:<10}  {:>9.2}", "relative", best[1] / best[0]);
    }
}

async fn highest(stage: &Stage, door: Door, count: usize) -> (Option<Played>, Played) {
    let mut kept = None;
    let mut rate = FIRST as f64;
    loop {
        let per_second = (rate / count as f64).round() as u64;
        let load = Load::Paced {
            pieces: per_second * SECONDS,
            per_second,
        };
        let played = stage.play(door, count, load).await;
        let report = &played.report;
        let is_whole = report.pieces == count as u64 * load.pieces() && report.holes == 0;
        let in_time = report.p99_us < IN_TIME_US && report.came_back == 0;
        let delivered = report.pieces as f64 * 1e6 / report.took_us as f64;
        if !(is_whole && in_time && delivered >= rate * KEPT_UP) {
            return (kept, played);
        }
        kept = Some(played);
        rate *= STEP;
    }
}

fn row(door: Door, count: usize, played: &Played) {
    let report = &played.report;
    let ms = |us: u64| us as f64 / 1e3;
    let whole = report.pieces as f64 / (report.pieces + report.holes).max(1) as f64;
    println!(
        "{count:>8}  {:<10}  {:>9.0}  {:>6.1}%  {:>9}  {:>6.1}  {:>6.1}  {:>6.1}  \
         {:>19.2}  {:>7.2}  {:>8.2}  {:>9}",
        door.name(),
        report.frames_per_second(),
        whole * 100.0,
        report.came_back,
        ms(report.p50_us),
        ms(report.p99_us),
        ms(report.max_us),
        played.runtime,
        played.backend,
        played.crowd,
        played.upstreams,
    );
}
