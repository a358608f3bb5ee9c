//! Every value that the contract allows, for property tests of what speaks it.
//!
//! One function for each type of the wire gives a proptest [`Strategy`](proptest::strategy::Strategy).
//! What it makes is what a server could say: a worker that runs has an active run, the entries of
//! a transcript are numbered without a hole, a problem has the status of its code. Texts are the
//! exception: they are anything that fits into a JSON string, because that is what people type.
//!
//! What nobody should say is in [`hostile`]: near misses of cursors, page tokens and ids, and
//! texts of no form at all.
//!
//! ```
//! use proptest::prelude::*;
//! use yoi_protocol::{Worker, WorkerStatus};
//! use yoi_testkit::strategies;
//!
//! proptest!(|(worker in strategies::worker())| {
//!     let is_running = worker.status == WorkerStatus::Running;
//!     prop_assert_eq!(worker.active_run.is_some(), is_running);
//!
//!     let text = serde_json::to_string(&worker).unwrap();
//!     prop_assert_eq!(serde_json::from_str::<Worker>(&text).unwrap(), worker);
//! });
//! ```

mod commands;
mod events;
mod fleet;
mod frames;
pub mod hostile;
mod ids;
mod problems;
mod runtimes;
mod texts;
mod transcripts;
mod workers;

pub use commands::{
    cancel_request, cancelled, input_accepted, input_request, list_query, stop_request, stopped,
    transcript_query,
};
pub use events::{delta, event, outcome, run_error, unknown_delta, unknown_event};
pub use fleet::{runtime_detail, runtime_entry, runtime_list, worker_sweep};
pub use frames::{
    control, control_frame, delta_frame, diagnostic_frame, event_frame, frame, in_flight,
};
pub use ids::{
    backend_cursor, boot_id, cursor, idempotency_key, page_token, request_id, run_id, runtime_id,
    timestamp, worker_id,
};
pub use problems::{code, details, failure, field_error, problem};
pub use runtimes::{
    capability, diagnostic, limits, operation, profile, runtime_info, severity, worker_counts,
};
pub use texts::{display_name, json, json_fields, text};
pub use transcripts::{entry, role, transcript};
pub use workers::{
    active_run, create_worker, intent, last_run, worker, worker_page, worker_status, worker_summary,
};

/// A whole number that every reader of JSON can hold: one that thinks in doubles, too.
fn count() -> std::ops::RangeInclusive<u64> {
    0..=MAX_COUNT
}

/// 2⁵³ − 1.
const MAX_COUNT: u64 = (1 << 53) - 1;
