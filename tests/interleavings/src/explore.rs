//! Running a model once for each order of its steps.

use std::future::Future;

use shuttle::scheduler::{DfsScheduler, PctScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::Grain;

/// Runs a model in every order that there is of such steps, and says how many there were.
///
/// A model must do the same each time, but for the order: no clock, nothing random.
pub fn every<F: Future<Output = ()>>(
    grain: Grain,
    model: impl Fn() -> F + Send + Sync + 'static,
) -> usize {
    grain.set();
    run(DfsScheduler::new(None, false), model)
}

/// Runs a model that has too many orders in `times` of them, each with up to `changes` changes of
/// turn at moments that are drawn; the same ones each time.
pub fn some<F: Future<Output = ()>>(
    times: usize,
    changes: usize,
    model: impl Fn() -> F + Send + Sync + 'static,
) -> usize {
    Grain::Fine.set();
    run(PctScheduler::new_from_seed(1, changes, times), model)
}

fn run<F: Future<Output = ()>>(
    scheduler: impl Scheduler + 'static,
    model: impl Fn() -> F + Send + Sync + 'static,
) -> usize {
    // For its clock: nobody drives it, so no time ever runs out.
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without threads can be had");
    let _context = tokio.enter();
    Runner::new(scheduler, Config::default()).run(move || shuttle::future::block_on(model()))
}
