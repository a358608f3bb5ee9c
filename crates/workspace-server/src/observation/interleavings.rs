//! Every interleaving of a Worker that speaks with those who come to watch it over one hub: none of
//! them misses anything, none is told anything twice, and one upstream is left for all.

mod runtime;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use tokio::sync::watch;
use yoi_interleavings::{Grain, Joined, Step, Told, Until, spawn};
use yoi_protocol::{Cursor, Source, StreamEnd};

use super::cursor::CursorSeal;
use super::{Hub, HubContext, ObservationSettings, Watch};
use crate::handle::CallContext;
use crate::registry::{Entry, Registration, Registry};
use crate::seal::KeyRing;
use runtime::{BEFORE, SAID, Spoken, cursor, r, w};

/// Where a watch begins.
#[derive(Debug, Clone, Copy)]
enum From {
    Snapshot,
    /// After the event with this number.
    Seq(u64),
}

/// Where watchers met what is live.
type Met = BTreeSet<Joined>;

/// A Backend of one Runtime.
#[derive(Clone)]
struct Scene {
    hub: Hub,
    entry: Arc<Entry>,
    keys: KeyRing,
    runtime: Spoken,
    /// How many were told all.
    told: watch::Sender<usize>,
}

impl Scene {
    fn new(keys: KeyRing) -> Self {
        let runtime = Spoken::new();
        let mut registry = Registry::default();
        let handle = Arc::new(runtime.clone());
        registry.add(Registration::custom(r(), Source::Remote, handle), false);
        Self {
            hub: Hub::new(ObservationSettings::default()),
            entry: Arc::clone(registry.get(&r()).unwrap()),
            keys,
            runtime,
            told: watch::Sender::new(0),
        }
    }

    /// Somebody who watches already, over the shared upstream.
    async fn settled(&self, from: From) -> Watch {
        let (mut watch, mut told) = self.watch(from).await;
        read(&mut watch, &mut told, &Until::after(BEFORE, SAID, &[])).await;
        assert!(watch.next().now_or_never().is_none());
        watch
    }

    /// Waits until so many are told all.
    async fn told(&self, watchers: usize) {
        let mut told = self.told.subscribe();
        told.wait_for(|told| *told == watchers).await.unwrap();
    }

    /// Waits until there are so many upstreams.
    async fn open(&self, is_so: impl Fn(usize) -> bool) {
        let mut open = self.runtime.open();
        open.wait_for(|open| is_so(*open)).await.unwrap();
    }

    /// A watch of which nothing is told yet.
    async fn watch(&self, from: From) -> (Watch, Told) {
        let (cursor, told) = match from {
            From::Snapshot => (None, Told::from_snapshot()),
            From::Seq(seq) => (Some(cursor(seq)), Told::after(seq)),
        };
        let seal = CursorSeal::new(&self.keys, &r(), &w());
        let cursor = cursor.map(|cursor| seal.seal(&cursor).unwrap());
        let cursor = cursor.as_ref().map(Cursor::as_str);
        let context = HubContext {
            entry: &self.entry,
            keys: &self.keys,
        };
        let call = CallContext::default();
        let watch = self.hub.watch(context, &w(), cursor, &call).await;
        (watch.unwrap(), told)
    }
}

/// Reads on until all is told.
async fn read(watch: &mut Watch, told: &mut Told, until: &Until) {
    while !told.is_all(until) {
        let frame = watch.next().await.expect("more must come");
        told.hear(&frame.text);
    }
}

/// Watches until all is told; says where the past met what is live.
async fn come(scene: Scene, from: From, until: Until) -> Joined {
    let (mut watch, mut told) = scene.watch(from).await;
    read(&mut watch, &mut told, &until).await;
    assert!(watch.try_next().is_none(), "nothing more comes");
    told.joined()
}

/// All orders there are of one step of a run, of somebody who comes to watch it, and, where
/// somebody is `there` already, of what moves the frames for all; `at_least` so many, since a
/// model that has fewer is not one.
fn every(grain: Grain, there: Option<From>, step: Step, from: From, at_least: usize) -> Met {
    let met = Arc::new(Mutex::new(Met::new()));
    let seen = Arc::clone(&met);
    let keys = KeyRing::random();
    let until = Until::after(BEFORE, SAID, &[step]);
    let tried = yoi_interleavings::every(grain, move || {
        let (seen, keys, until) = (Arc::clone(&seen), keys.clone(), until.clone());
        async move {
            let scene = Scene::new(keys);
            let _there = there.map(|from| yoi_interleavings::set(scene.settled(from)));
            let came = spawn(come(scene.clone(), from, until));
            scene.runtime.take(step);
            let joined = came.await.unwrap();
            seen.lock().unwrap().insert(joined);
        }
    });
    println!("{tried} interleavings of {step:?} with {from:?}, there {there:?}");
    assert!(tried >= at_least, "too few");
    std::mem::take(&mut *met.lock().unwrap())
}

/// Some orders of more than can be tried in all of them: watchers who stay to the end. All end
/// alike, and before that one upstream is left for all.
fn some(steps: &'static [Step], watchers: &'static [From]) {
    let keys = KeyRing::random();
    let until = Until::after(BEFORE, SAID, steps);
    let tried = yoi_interleavings::some(300, 3, move || {
        let (keys, until) = (keys.clone(), until.clone());
        async move {
            let scene = Scene::new(keys);
            let stay = |from: &From| spawn(stay(scene.clone(), *from, until.clone()));
            let watches: Vec<_> = watchers.iter().map(stay).collect();
            for step in steps {
                scene.runtime.take(*step);
            }
            let expected = if until.said.is_some() {
                scene.told(watchers.len()).await;
                scene.open(|open| open == 1).await;
                scene.hub.close();
                StreamEnd::Draining
            } else {
                StreamEnd::Complete
            };
            for watch in watches {
                assert_eq!(watch.await.unwrap(), expected);
            }
            scene.open(|open| open == 0).await;
        }
    });
    println!("{tried} interleavings of {steps:?} with {watchers:?}");
}

/// Watches until all is told, and then waits with the others for the end; says what it was.
async fn stay(scene: Scene, from: From, until: Until) -> StreamEnd {
    let (mut watch, mut told) = scene.watch(from).await;
    read(&mut watch, &mut told, &until).await;
    scene.told.send_modify(|told| *told += 1);
    watch.next().await.expect_err("nothing more comes")
}

/// Before the step and after it.
fn on_both_sides(of: Step) -> Met {
    let after = Until::after(BEFORE, SAID, &[of]);
    let after = Joined {
        seq: after.seq,
        said: after.said,
    };
    Met::from([Joined::at(BEFORE, Some(SAID)), after])
}

#[test]
fn the_first_from_a_snapshot_meets_an_entry() {
    let met = every(Grain::Fine, None, Step::Append, From::Snapshot, 1000);
    assert_eq!(met, on_both_sides(Step::Append));
}

#[test]
fn the_first_after_a_cursor_meets_a_word() {
    let step = Step::Say("b");
    let met = every(Grain::Fine, None, step, From::Seq(BEFORE), 1000);
    assert_eq!(met, on_both_sides(step));
}

#[test]
fn one_who_joins_others_meets_a_word() {
    let (there, step) = (Some(From::Snapshot), Step::Say("b"));
    let met = every(Grain::Coarse, there, step, From::Snapshot, 1000);
    assert_eq!(met, on_both_sides(step));
}

#[test]
fn one_who_is_served_from_the_ring_meets_a_word() {
    let (there, step) = (Some(From::Snapshot), Step::Say("b"));
    let met = every(Grain::Coarse, there, step, From::Seq(BEFORE), 1000);
    assert_eq!(met, on_both_sides(step));
}

#[test]
fn three_who_stay_share_one_upstream() {
    some(
        &[Step::Say("b"), Step::Append, Step::Say("c")],
        &[From::Snapshot, From::Seq(BEFORE), From::Snapshot],
    );
}

#[test]
fn three_are_told_the_end() {
    some(
        &[Step::Say("b"), Step::Append, Step::Stop],
        &[From::Snapshot, From::Seq(BEFORE), From::Snapshot],
    );
}
