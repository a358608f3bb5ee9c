//! How runs ended: nobody is left running, and a run that was active is interrupted.

use serde_json::Value;

use super::Scope;
use crate::kill::ledger::{Deed, Fate, Known, Operation};

/// Holds the last run of a Worker, and every run that was seen, to what could end it.
pub(super) fn check(scope: &Scope, known: &Known, worker: &Value) {
    assert!(worker["active_run"].is_null(), "still running: {worker}");
    let stopped = known
        .deeds
        .iter()
        .filter(|deed| deed.operation == Operation::Stop);
    for answer in stopped.filter_map(Deed::answer) {
        assert_eq!(
            answer.json()["worker"],
            *worker,
            "changed since it was stopped"
        );
    }
    let inputs = known.deeds.iter().filter(|deed| deed.is_input());
    // In a store with bounds, whether one in doubt was done may not be seen any more.
    let may_have_begun = |deed: &&Deed| deed.run_id.is_some() || scope.is_bounded;
    let mut done = inputs.filter(|deed| deed.fate != Fate::Absent);
    let done = done.rfind(may_have_begun);
    if let Some(run_id) = done.and_then(|deed| deed.run_id.as_ref()) {
        let last_run = &worker["last_run"]["run_id"];
        assert_eq!(last_run, run_id, "its last run did not end: {worker}");
    }
    let last_run = &worker["last_run"];
    if let Some(run_id) = last_run["run_id"].as_str() {
        ended(known, run_id, &last_run["outcome"], &last_run["error"]);
    }
    let mut active: Option<&str> = None;
    let mut last = None;
    for (seq, frame) in &known.frames {
        if last.replace(*seq).is_some_and(|last| last + 1 != *seq) {
            // What is between was given up before it was seen.
            assert!(scope.is_bounded, "{}: a gap before {seq}", known.name);
            active = None;
        }
        let event = &frame.json["event"];
        let run_id = event["run_id"].as_str();
        match frame.event() {
            Some("run_started") => {
                assert_eq!(active, None, "{}: two at a time: {event}", known.name);
                active = run_id;
            }
            Some("run_finished") => {
                assert!(active.is_none() || active == run_id, "{event}");
                active = None;
                let run_id = run_id.expect("a run");
                ended(known, run_id, &event["outcome"], &event["error"]);
            }
            _ => {}
        }
    }
    let is_whole = scope.is_bounded || active.is_none();
    assert!(is_whole, "{}: no end of {active:?}", known.name);
}

/// Whether a run could end like this.
fn ended(known: &Known, run_id: &str, outcome: &Value, error: &Value) {
    // What it was told may be given up.
    let Some(place) = known.began(run_id) else {
        return;
    };
    let later = &known.deeds[place + 1..];
    let is_next = |operation| operation == Operation::Input;
    let enders = later
        .iter()
        .take_while(|deed| !(is_next(deed.operation) && deed.fate != Fate::Absent))
        .filter(|deed| matches!(deed.operation, Operation::Cancel | Operation::Stop));
    let mut may_be_cancelled = false;
    let mut must_be_cancelled = false;
    for deed in enders {
        may_be_cancelled |= deed.fate != Fate::Absent;
        if let Some(answer) = deed.answer() {
            must_be_cancelled |= answer.json()["cancelled_run_id"] == run_id;
        }
    }
    let is_interrupted = *outcome == "failed" && error["code"] == "interrupted";
    let is_cancelled = *outcome == "cancelled";
    let is_right = if must_be_cancelled {
        is_cancelled
    } else {
        let by_itself = !known.is_slow && *outcome == "completed";
        is_interrupted || by_itself || (may_be_cancelled && is_cancelled)
    };
    assert!(
        is_right,
        "{}: {run_id} ended {outcome} {error}, and it was told {later:?}",
        known.name
    );
}
