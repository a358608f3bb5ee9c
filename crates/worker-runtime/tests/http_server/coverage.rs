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
