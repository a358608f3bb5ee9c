//! What the tests of the places watch for.

use yoi_client::{Call, Workers};
use yoi_protocol::{Event, Outcome, WorkerId};
use yoi_testkit::Watcher;

/// A stream that is caught up: what is done from now on is seen as it happens.
pub(crate) async fn watch(workers: &Workers, worker: &WorkerId) -> Watcher {
    let frames = workers.events(worker, None, &Call::default()).await;
    let mut watcher = Watcher::of(frames.unwrap());
    let _ = watcher.until_caught_up().await;
    watcher
}

/// How the run ends that is watched, and the code of its error.
pub(crate) async fn outcome(watcher: &mut Watcher) -> (Outcome, Option<String>) {
    match watcher.until_event("run_finished").await.event {
        Event::RunFinished { outcome, error, .. } => (outcome, error.map(|error| error.code)),
        other => panic!("{other:?}"),
    }
}
