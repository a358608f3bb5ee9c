//! A log with everything that can happen in one.

use serde_json::json;
use worker_runtime::store::{LogId, Record};
use yoi_protocol::{Event, Outcome, Role, RunError, Severity, WorkerStatus};

use super::sample::{begin, entry, log, named, record, run_id, stored};

/// Texts that a store might spoil, each for a reason of its own.
const TEXTS: [&str; 6] = [
    "",
    "grüße, \u{65E5}\u{672C}\u{8A9E} \u{1F980} e\u{301}",
    "lines\nlines\r\nlines\u{2028}and \u{85}\ttabs ",
    "\"quoted\" \\n \\u0041 {\"seq\":1}\u{0}\u{1F}\u{7F}",
    "\u{FEFF}\u{200F}\u{FFFD}\u{10FFFF}",
    "</script>%00%s ../ $(no)",
];

/// How large the largest text is, in characters of two bytes.
const LARGE: usize = 60_000;

/// Logs that have every kind of event between them, and every value of what there are few of.
pub(super) fn whole_logs() -> [(LogId, Vec<Record>); 2] {
    let [one, other] = [log(0), log(1)];
    let (whole, ended) = (whole_log(&one), ended_log(&other));
    [(one, whole), (other, ended)]
}

/// A log with everything but a reason for its end.
fn whole_log(log: &LogId) -> Vec<Record> {
    let mut records = vec![record(log, vec![begin(log)])];
    let (mut seq, mut sequence) = (1, 0);
    let mut add = |events: Vec<Draft>| {
        let mut stored_events = Vec::new();
        for draft in events {
            seq += 1;
            stored_events.push(stored(log, seq, draft.event(log, seq, &mut sequence)));
        }
        records.push(record(log, stored_events));
    };
    for text in TEXTS {
        add(vec![
            Draft::Input(text),
            started(log),
            Draft::Of(Event::StatusChanged {
                status: WorkerStatus::Running,
            }),
        ]);
        add(tool(log, text));
        add(said(text));
        add(outcome(log, text));
    }
    add(vec![Draft::Large]);
    add(unknown());
    add(vec![
        Draft::Of(Event::StatusChanged {
            status: WorkerStatus::Stopped,
        }),
        Draft::Of(Event::WorkerStopped { reason: None }),
    ]);
    records
}

/// A log that ends for a reason: a Worker ends once.
fn ended_log(log: &LogId) -> Vec<Record> {
    let reason = Some(named(log, 0, TEXTS[1]));
    let end = stored(log, 2, Event::WorkerStopped { reason });
    [begin(log), end]
        .map(|event| record(log, vec![event]))
        .into()
}

/// An event that does not know yet where it will be.
enum Draft {
    Of(Event),
    Input(&'static str),
    Entry(Role, &'static str, bool),
    Large,
}

impl Draft {
    fn event(self, log: &LogId, seq: u64, sequence: &mut u64) -> Event {
        let mut next = |role, content| {
            *sequence += 1;
            entry(log, seq, *sequence, role, content)
        };
        match self {
            Self::Of(event) => event,
            Self::Input(text) => Event::InputAccepted {
                entry: next(Role::User, text.to_owned()),
            },
            Self::Entry(role, text, redacted) => {
                let mut entry = next(role, text.to_owned());
                entry.redacted = redacted;
                Event::EntryAppended { entry }
            }
            Self::Large => Event::EntryAppended {
                entry: next(Role::Assistant, "ü".repeat(LARGE)),
            },
        }
    }
}

fn said(text: &'static str) -> Vec<Draft> {
    [Role::User, Role::Assistant, Role::System, Role::Tool]
        .into_iter()
        .flat_map(|role| [false, true].map(|redacted| Draft::Entry(role, text, redacted)))
        .collect()
}

/// A use of a tool, what it used, and what an observer should know.
fn tool(log: &LogId, text: &str) -> Vec<Draft> {
    let (run_id, text) = (run_id(log, 2), text.to_owned());
    let call_id = named(log, 2, "call");
    let mut events = vec![
        Event::ToolCallStarted {
            run_id: run_id.clone(),
            call_id: call_id.clone(),
            name: text.clone(),
        },
        Event::ToolCallFinished {
            run_id: run_id.clone(),
            call_id: call_id.clone(),
            arguments: text.clone(),
        },
    ];
    events.extend([true, false].map(|ok| Event::ToolResult {
        run_id: run_id.clone(),
        call_id: call_id.clone(),
        ok,
        content: text.clone(),
    }));
    let used = [(None, None), (Some(0), None), (None, Some(u64::MAX))];
    events.extend(used.map(|(input_tokens, output_tokens)| Event::Usage {
        run_id: run_id.clone(),
        input_tokens,
        output_tokens,
    }));
    let severities = [Severity::Info, Severity::Warning, Severity::Error];
    events.extend(severities.map(|severity| Event::Diagnostic {
        severity,
        code: "a_code".to_owned(),
        message: text.clone(),
    }));
    events.into_iter().map(Draft::Of).collect()
}

fn started(log: &LogId) -> Draft {
    Draft::Of(Event::RunStarted {
        run_id: run_id(log, 2),
    })
}

/// The end of the run that is active, and those of two more.
fn outcome(log: &LogId, text: &str) -> Vec<Draft> {
    let error = RunError {
        code: "exit_status".to_owned(),
        message: text.to_owned(),
    };
    let ends = [
        (Outcome::Completed, None),
        (Outcome::Cancelled, None),
        (Outcome::Failed, Some(error)),
    ];
    let ends = ends.map(|(outcome, error)| {
        let finished = Draft::Of(Event::RunFinished {
            run_id: run_id(log, 2),
            outcome,
            error,
        });
        [started(log), finished]
    });
    let idle = Event::StatusChanged {
        status: WorkerStatus::Idle,
    };
    // The first of them has started long before.
    let ends = ends.into_iter().flatten().skip(1);
    ends.chain([Draft::Of(idle)]).collect()
}

/// Events of newer versions.
fn unknown() -> Vec<Draft> {
    let bare = json!({"type": "bare_of_a_newer_version"});
    let full = json!({
        "type": "of_a_newer_version",
        "text": TEXTS[3],
        "größe": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN, null, false, []],
        "deep": {"deeper": {"": {"deepest": [[[{}]]]}}},
    });
    [bare, full]
        .map(|event| Draft::Of(serde_json::from_value(event).expect("an event")))
        .into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::ledger::fold;
    use super::super::sample::{events_of, seqs};
    use super::*;

    #[test]
    fn they_have_every_kind_of_event_in_order_and_add_up() {
        let logs = whole_logs().map(|(_, records)| events_of(&records));
        for events in &logs {
            let all: Vec<u64> = (1..=events.len() as u64).collect();
            assert_eq!(seqs(events), all);
            assert!(fold(events).expect("it adds up").is_over);
        }
        let events = logs.concat();
        let types: BTreeSet<&str> = events.iter().map(|one| one.event.type_name()).collect();
        for known in Event::TYPES {
            assert!(types.contains(known), "{known}");
        }
        assert!(types.contains("of_a_newer_version"), "{types:?}");
        for one in &events {
            let written = serde_json::to_value(&one.event).expect("an event is JSON");
            assert_eq!(written["type"], one.event.type_name());
        }
    }
}
