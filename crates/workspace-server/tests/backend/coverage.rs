//! Nothing that the Backend API documents is without a snapshot, and no snapshot shows what it
//! does not document; and every code and every end of a stream is shown by one server at least.

use yoi_protocol::Code;
use yoi_workspace_server::table;

use crate::answers::Shown;

const NONE: [String; 0] = [];

#[test]
fn every_documented_answer_is_in_a_snapshot() {
    assert_eq!(Shown::read("backend_").lacking(&table()), NONE);
}

#[test]
fn every_answer_in_a_snapshot_is_documented() {
    assert_eq!(Shown::read("backend_").undocumented(&table()), NONE);
}

#[test]
fn every_code_is_in_a_snapshot() {
    let shown = Shown::read("");
    let codes = shown.codes();
    let lacking = Code::ALL
        .iter()
        .filter(|code| !codes.contains(code.as_str()));
    assert_eq!(lacking.collect::<Vec<_>>(), Vec::<&Code>::new());
}

/// How a watch at the Backend ends. What it refuses before the upgrade is not among it.
const ENDS: [(&str, u64); 21] = [
    ("-", 1000),
    ("observation_only", 1008),
    ("draining", 1012),
    ("slow_consumer", 1013),
    ("cursor_invalid", 4400),
    ("operation_denied", 4403),
    ("runtime_not_found", 4404),
    ("worker_not_found", 4404),
    ("cursor_expired", 4410),
    ("cursor_unknown", 4410),
    ("limit_reached", 4429),
    ("store_failed", 4500),
    ("operation_unsupported", 4501),
    ("runtime_auth_failed", 4502),
    ("runtime_failed", 4502),
    ("runtime_identity_mismatch", 4502),
    ("runtime_protocol_error", 4502),
    ("runtime_unreachable", 4502),
    ("runtime_unavailable", 4503),
    ("runtime_timed_out", 4504),
    ("timed_out", 4504),
];

#[test]
fn every_end_of_a_watch_is_in_a_snapshot() {
    let shown = Shown::read("backend_");
    let ends = shown.ends();
    let lacking = ENDS.iter().filter(|end| !ends.contains(*end));
    assert_eq!(lacking.collect::<Vec<_>>(), Vec::<&(&str, u64)>::new());
}
