//! Nothing that the Runtime API documents is without a snapshot, and no snapshot shows what it
//! does not document.

use worker_runtime::http::table;

use crate::answers::Shown;

const NONE: [String; 0] = [];

#[test]
fn every_documented_answer_is_in_a_snapshot() {
    assert_eq!(Shown::read("runtime_").lacking(&table()), NONE);
}

#[test]
fn every_answer_in_a_snapshot_is_documented() {
    assert_eq!(Shown::read("runtime_").undocumented(&table()), NONE);
}

/// Who is too slow, and whom the store fails in the middle, is told with the Runtime as a library:
/// what a socket holds by itself is too much to fill here.
#[test]
fn every_end_of_a_stream_is_in_a_snapshot() {
    let shown = Shown::read("runtime_");
    let ends: Vec<_> = shown.ends().into_iter().collect();
    let expected = [("-", 1000), ("draining", 1012), ("observation_only", 1008)];
    assert_eq!(ends, expected);
}
