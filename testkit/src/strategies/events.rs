//! Durable events, and the deltas between them.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use yoi_protocol::{Delta, Event, Outcome, RunError, UnknownDelta, UnknownEvent};

use super::transcripts::entries;
use super::{count, diagnostic, entry, json_fields, run_id, text, worker, worker_status};

/// How a run ended.
pub fn outcome() -> impl Strategy<Value = Outcome> + Clone {
    select(&[Outcome::Completed, Outcome::Cancelled, Outcome::Failed][..])
}

/// Why a run failed.
pub fn run_error() -> impl Strategy<Value = RunError> + Clone {
    (text(), text()).prop_map(|(code, message)| RunError { code, message })
}

/// Any event of the contract, and now and then one of a later version.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_protocol::Event;
/// use yoi_testkit::strategies::event;
///
/// proptest!(|(event in event())| {
///     let json = serde_json::to_value(&event).unwrap();
///     let name = json["type"].as_str().unwrap();
///     prop_assert_eq!(Event::TYPES.contains(&name), !matches!(event, Event::Unknown(_)));
/// });
/// ```
pub fn event() -> impl Strategy<Value = Event> + Clone {
    prop_oneof![
        5 => about_entries(),
        4 => about_runs(),
        4 => about_tools(),
        3 => about_workers(),
        1 => unknown_event().prop_map(Event::Unknown),
    ]
}

fn about_entries() -> impl Strategy<Value = Event> + Clone {
    let snapshot = (worker(), entries()).prop_map(|(mut worker, (first_sequence, transcript))| {
        let last = transcript.last().map(|entry| entry.sequence);
        worker.transcript_length = last.unwrap_or(worker.transcript_length);
        Event::Snapshot {
            worker: Box::new(worker),
            transcript,
            first_sequence,
        }
    });
    prop_oneof![
        snapshot,
        entry().prop_map(|entry| Event::InputAccepted { entry }),
        entry().prop_map(|entry| Event::EntryAppended { entry }),
    ]
}

fn about_runs() -> impl Strategy<Value = Event> + Clone {
    let finished = (run_id(), outcome(), run_error()).prop_map(|(run_id, outcome, error)| {
        let error = (outcome == Outcome::Failed).then_some(error);
        Event::RunFinished {
            run_id,
            outcome,
            error,
        }
    });
    let usage = (run_id(), option::of(count()), option::of(count())).prop_map(
        |(run_id, input_tokens, output_tokens)| Event::Usage {
            run_id,
            input_tokens,
            output_tokens,
        },
    );
    prop_oneof![
        run_id().prop_map(|run_id| Event::RunStarted { run_id }),
        finished,
        usage,
    ]
}

fn about_tools() -> impl Strategy<Value = Event> + Clone {
    let started =
        (run_id(), text(), text()).prop_map(|(run_id, call_id, name)| Event::ToolCallStarted {
            run_id,
            call_id,
            name,
        });
    let finished = (run_id(), text(), text()).prop_map(|(run_id, call_id, arguments)| {
        Event::ToolCallFinished {
            run_id,
            call_id,
            arguments,
        }
    });
    let result =
        (run_id(), text(), any::<bool>(), text()).prop_map(|(run_id, call_id, ok, content)| {
            Event::ToolResult {
                run_id,
                call_id,
                ok,
                content,
            }
        });
    prop_oneof![started, finished, result]
}

fn about_workers() -> impl Strategy<Value = Event> + Clone {
    prop_oneof![
        worker_status().prop_map(|status| Event::StatusChanged { status }),
        option::of(text()).prop_map(|reason| Event::WorkerStopped { reason }),
        diagnostic().prop_map(|said| Event::Diagnostic {
            severity: said.severity,
            code: said.code,
            message: said.message,
        }),
    ]
}

/// An event of a later version: its type begins with `x_`, and so do its fields.
pub fn unknown_event() -> impl Strategy<Value = UnknownEvent> + Clone {
    ("x_[a-z_]{1,12}", json_fields())
        .prop_map(|(event_type, fields)| UnknownEvent { event_type, fields })
}

/// A delta of a later version: its type begins with `x_`, and so do its fields.
pub fn unknown_delta() -> impl Strategy<Value = UnknownDelta> + Clone {
    ("x_[a-z_]{1,12}", json_fields())
        .prop_map(|(delta_type, fields)| UnknownDelta { delta_type, fields })
}

/// Any delta of the contract, and now and then one of a later version.
pub fn delta() -> impl Strategy<Value = Delta> + Clone {
    let piece = || (run_id(), count(), text());
    let spoken = piece().prop_map(|(run_id, offset, text)| Delta::Text {
        run_id,
        offset,
        text,
    });
    let thought = piece().prop_map(|(run_id, offset, text)| Delta::Thinking {
        run_id,
        offset,
        text,
    });
    let arguments =
        (piece(), text()).prop_map(|((run_id, offset, text), call_id)| Delta::ToolArguments {
            run_id,
            call_id,
            offset,
            text,
        });
    prop_oneof![
        3 => spoken,
        3 => thought,
        3 => arguments,
        1 => unknown_delta().prop_map(Delta::Unknown),
    ]
}
