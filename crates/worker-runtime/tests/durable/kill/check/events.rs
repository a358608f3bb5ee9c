//! Going on from a cursor: no gap, nothing else than what was seen.

use fastrand::Rng;

use super::Scope;
use crate::kill::ledger::Known;
use crate::watch::Frame;

/// Comes back with the cursor of the first input and, now and then, with one of any event, and reads on to the
/// present.
pub(super) async fn check(scope: &Scope, known: &mut Known, rng: &mut Rng) {
    from_first_input(scope, known).await;
    if rng.bool() {
        return;
    }
    let Some(frame) = rng.choice(known.frames.values()).cloned() else {
        return;
    };
    let seq = frame.seq().expect("an event");
    let cursor = frame.json["cursor"].as_str().expect("text");
    if let Some(frames) = from(scope, known, cursor).await {
        remember(known, seq, frames);
    }
}

/// Reads everything that the first input led to, or what is kept of it.
async fn from_first_input(scope: &Scope, known: &mut Known) {
    let mut cursors = known.cursors.clone();
    while let Some((cursor, run_id)) = cursors.first().cloned() {
        let Some(frames) = from(scope, known, &cursor).await else {
            // The older half is given up with it.
            cursors.drain(..cursors.len().div_ceil(2));
            continue;
        };
        let first = frames.first().expect("what the input led to");
        let began = &first.json["event"];
        assert_eq!(began["type"], "run_started", "{}: {began}", known.name);
        assert_eq!(began["run_id"], *run_id, "{}: {began}", known.name);
        let seq = first.seq().expect("an event");
        return remember(known, seq - 1, frames);
    }
}

/// Writes down all events after one: none is left out, and none is missing at the end.
fn remember(known: &mut Known, after: u64, frames: Vec<Frame>) {
    let last = after + frames.len() as u64;
    let seqs: Vec<Option<u64>> = frames.iter().map(Frame::seq).collect();
    let expected: Vec<Option<u64>> = (after + 1..=last).map(Some).collect();
    assert_eq!(seqs, expected, "{}: a gap after {after}", known.name);
    let seen = known.frames.keys().next_back().copied();
    assert!(
        Some(last) >= seen,
        "{}: only {last} of {seen:?}",
        known.name
    );
    for frame in frames {
        known.saw(frame);
    }
}

/// The events after a cursor, up to the present; `None` when they are given up.
async fn from(scope: &Scope, known: &Known, cursor: &str) -> Option<Vec<Frame>> {
    let mut watch = match scope.api.watch(known.id(), cursor).await {
        Ok(watch) => watch,
        Err(Some(answer)) if answer.status == 204 => return Some(Vec::new()),
        Err(Some(answer)) if scope.is_bounded && answer.status == 410 => {
            assert_eq!(answer.json()["code"], "cursor_expired", "{answer:?}");
            return None;
        }
        Err(answer) => panic!("{} is not resumed: {answer:?}", known.name),
    };
    let mut frames = Vec::new();
    while let Some(frame) = watch.next().await {
        if frame.is_caught_up() {
            return Some(frames);
        }
        assert!(frame.seq().is_some(), "{}: {frame:?}", known.name);
        frames.push(frame);
    }
    panic!("{}: cut after {:?}", known.name, frames.last());
}
