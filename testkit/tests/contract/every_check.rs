//! Of each check it was seen that it can fail.

use std::collections::BTreeSet;

use yoi_testkit::contract::{Check, semantics, wire};

use crate::{broken_subjects, broken_wire};

/// Checks that no breakage makes fail yet. One that a breakage catches must leave this list, and a
/// new check either has a breakage or stands here for everyone to see.
const NEVER_SEEN_TO_FAIL: &[&str] = &[
    "bodies.may_be_missing",
    "bodies.may_have_unknown_fields",
    "bodies.may_say_null_for_nothing",
    "cancel.leaves_the_worker_usable",
    "cancel.of_a_stopped_worker_does_nothing",
    "cancel.of_an_idle_worker_does_nothing",
    "cancel.spares_other_runs",
    "commands.are_accepted_with_202",
    "create.generates_an_id",
    "create.refused_changes_nothing",
    "create.refuses_what_it_cannot_grant",
    "deltas.add_up_to_the_entry",
    "deltas.are_in_flight_for_who_comes_late",
    "events.are_the_same_for_all",
    "events.snapshot_has_the_transcript",
    "idempotency.is_free_after_a_refusal",
    "input.a_stopped_worker_takes_none",
    "input.begins_a_run",
    "input.names_the_users_entry",
    "input.sequences_go_on",
    "input.shows_the_active_run",
    "list.filters_by_status",
    "list.shows_the_short_form",
    "problems.names_are_no_address",
    "resume.refuses_forged_cursors",
    "runtime.keeps_its_names",
    "stop.ends_the_active_run",
    "stop.keeps_what_was_said",
    "transcript.begins_each_run_with_its_input",
    "transcript.is_empty_past_the_end",
    "transcript.of_a_new_worker_is_empty",
    "transcript.pages_add_up",
    "websocket.refuses_before_the_upgrade",
];

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
