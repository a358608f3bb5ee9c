//! Of each check it was seen that it can fail.

use std::collections::BTreeSet;

use yoi_testkit::contract::{Check, semantics, wire};

use crate::{broken_subjects, broken_wire};

/// Checks that no breakage makes fail yet. One that a breakage catches must leave this list, and a
/// new check either has a breakage or stands here for everyone to see.
const NEVER_SEEN_TO_FAIL: &[&str] = &[];

#[test]
fn every_check_was_seen_to_fail_or_is_known_not_to() {
    let caught = [broken_subjects::CAUGHT, broken_wire::CAUGHT].concat();
    let caught: BTreeSet<&str> = caught.concat().into_iter().collect();
    let names = semantics::checks().map(Check::name);
    let names: BTreeSet<&str> = names.chain(wire::checks().map(Check::name)).collect();
    let unknown: Vec<&&str> = caught.difference(&names).collect();
    assert!(unknown.is_empty(), "there are no such checks: {unknown:#?}");
    let uncaught: Vec<&str> = names.difference(&caught).copied().collect();
    assert_eq!(uncaught, NEVER_SEEN_TO_FAIL);
}
