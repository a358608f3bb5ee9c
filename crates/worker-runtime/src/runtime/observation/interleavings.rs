//! Every interleaving of a run that speaks with those who come to observe it: none of them misses
//! anything, and none is told anything twice.
//!
//! What is tried is the code as it is, from the commit to the frames that an observer reads.

mod scene;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use yoi_interleavings::{Grain, Joined, Step, Told, Until, spawn};
use yoi_protocol::{Cursor, StreamEnd};

use crate::runtime::{Runtime, frames};
use crate::store::LogId;
use scene::{BEFORE, Scene, w};

/// Where an observation begins.
#[derive(Debug, Clone, Copy)]
enum From {
    Snapshot,
    /// After the event with this number.
    Seq(u64),
}

/// Where observers met what is live.
type Met = BTreeSet<Joined>;

/// Observes until all is told that the run does; says where the past met what is live.
async fn observe(runtime: Runtime, log: LogId, from: From, until: Until) -> Joined {
    let (cursor, mut told) = match from {
        From::Snapshot => (None, Told::from_snapshot()),
        From::Seq(seq) => (Some(frames::cursor(&log, seq)), Told::after(seq)),
    };
    let cursor = cursor.as_ref().map(Cursor::as_str);
    let mut observation = runtime.observe(&w(), cursor).await.unwrap();
    while !told.is_all(&until) {
        let frame = observation.next().await.expect("more must come");
        told.hear(&frame.text);
    }
    let end = told.is_over().then_some(Err(StreamEnd::Complete));
    assert_eq!(observation.try_next(), end, "nothing more comes");
    told.joined()
}

/// The steps of a run, and those who observe it meanwhile.
fn model(
    steps: &'static [Step],
    observers: &'static [From],
) -> (impl Fn() -> BoxFuture<'static, ()>, Arc<Mutex<Met>>) {
    let met = Arc::new(Mutex::new(Met::new()));
    let seen = Arc::clone(&met);
    let model = move || {
        let seen = Arc::clone(&seen);
        async move {
            let mut scene = Scene::start().await;
            let until = scene.after(steps);
            let observe = |from: &From| {
                let (runtime, log) = (scene.runtime.clone(), scene.slot.log.clone());
                spawn(observe(runtime, log, *from, until.clone()))
            };
            let observers: Vec<_> = observers.iter().map(observe).collect();
            for step in steps {
                scene.take(*step).await;
            }
            for observer in observers {
                let joined = observer.await.unwrap();
                seen.lock().unwrap().insert(joined);
            }
        }
        .boxed()
    };
    (model, met)
}

/// All orders there are, which are `at_least` so many: a model that has fewer is not one.
fn all(steps: &'static [Step], observer: &'static [From; 1], at_least: usize) -> Met {
    let (model, met) = model(steps, observer);
    let tried = yoi_interleavings::every(Grain::Fine, model);
    println!("{tried} interleavings of {steps:?} with {observer:?}");
    assert!(tried >= at_least, "too few");
    std::mem::take(&mut *met.lock().unwrap())
}

#[test]
fn a_snapshot_meets_a_run_that_speaks() {
    let steps = &[Step::Say("b"), Step::Say("c")];
    let met = all(steps, &[From::Snapshot], 500);
    let places = ["a", "ab", "abc"].map(|said| Joined::at(BEFORE, Some(said)));
    assert_eq!(met, Met::from(places));
}

#[test]
fn a_snapshot_meets_an_entry() {
    let met = all(&[Step::Append], &[From::Snapshot], 1000);
    let places = [
        Joined::at(BEFORE, Some("a")),
        Joined::at(BEFORE + 1, Some("")),
    ];
    assert_eq!(met, Met::from(places));
}

#[test]
fn a_cursor_meets_an_entry() {
    let met = all(&[Step::Append], &[From::Seq(BEFORE)], 1000);
    let places = [
        Joined::at(BEFORE, Some("a")),
        Joined::at(BEFORE + 1, Some("")),
    ];
    assert_eq!(met, Met::from(places));
}

#[test]
fn a_snapshot_meets_the_end() {
    let met = all(&[Step::Stop], &[From::Snapshot], 1000);
    let places = [Joined::at(BEFORE, Some("a")), Joined::at(BEFORE + 4, None)];
    assert_eq!(met, Met::from(places));
}

/// Too many orders to try all: those with a few changes of turn at the worst moments.
#[test]
fn three_observers_meet_a_whole_run() {
    let steps = &[Step::Say("b"), Step::Append, Step::Say("c"), Step::Stop];
    let observers = &[From::Snapshot, From::Seq(1), From::Seq(BEFORE)];
    let (model, met) = model(steps, observers);
    assert_eq!(yoi_interleavings::some(500, 3, model), 500);
    let places = [
        Joined::at(BEFORE, Some("a")),
        Joined::at(BEFORE, Some("ab")),
        Joined::at(BEFORE + 1, Some("")),
        Joined::at(BEFORE + 1, Some("c")),
        Joined::at(BEFORE + 5, None),
    ];
    assert_eq!(*met.lock().unwrap(), Met::from(places));
}
