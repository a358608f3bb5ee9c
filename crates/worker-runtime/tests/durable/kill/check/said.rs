//! The transcript: all that was acknowledged, in its place; no hole, nothing twice, nothing else.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::Scope;
use crate::kill::ledger::{Fate, Known};

/// What a slow run says before it goes on for ever.
const WORKING: &str = "working\n";

/// A store with bounds keeps at least so much of what was sent last: what it may have, without
/// all Workers and answers, which it keeps in any case.
const RECENT: u64 = 300 * 1024;

pub(super) async fn check(scope: &Scope, known: &mut Known, worker: &Value) {
    let name = known.name.clone();
    let (first, entries) = read(scope, known.id()).await;
    let length = worker["transcript_length"].as_u64().expect("a number");
    assert!(scope.is_bounded || first == 1, "{name} begins with {first}");
    let sequences = entries.iter().map(|entry| entry["sequence"].as_u64());
    assert!(
        sequences.eq((first..=length).map(Some)),
        "{name} is not dense from {first} to {length}: {entries:?}"
    );
    let mut by_content: HashMap<&str, &Value> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry["role"] == "user") {
        let twice = by_content.insert(text(entry, "content"), entry);
        assert!(twice.is_none(), "{name} was told twice: {entry}");
    }
    settle(scope, known, &mut by_content, first..=length);
    assert!(
        by_content.is_empty(),
        "{name} was never told {by_content:?}"
    );
    answers(known, &entries, first);
}

/// How often something was said.
pub(super) async fn count(scope: &Scope, id: &str, content: &str) -> usize {
    let (_, entries) = read(scope, id).await;
    let is_said = |entry: &&Value| entry["role"] == "user" && entry["content"] == content;
    entries.iter().filter(is_said).count()
}

/// All that is kept, page by page.
async fn read(scope: &Scope, id: &str) -> (u64, Vec<Value>) {
    let path = format!("/v1/workers/{id}/transcript?limit=1000");
    let mut entries = Vec::new();
    let mut first = None;
    let mut after = None;
    loop {
        let path = match after {
            None => path.clone(),
            Some(after) => format!("{path}&after={after}"),
        };
        let mut page = scope.api.get(&path).await;
        first = first.or(page["first_sequence"].as_u64());
        let more = page["entries"].as_array_mut().expect("a list");
        entries.append(more);
        after = page["next_after"].as_u64();
        if after.is_none() {
            return (first.expect("a number"), entries);
        }
    }
}

/// Finds every input that was acknowledged, and finds out about those in doubt.
fn settle(
    scope: &Scope,
    known: &mut Known,
    found: &mut HashMap<&str, &Value>,
    kept: RangeInclusive<u64>,
) {
    let (first, length) = kept.into_inner();
    let mut last = 0;
    let name = &known.name;
    for deed in &mut known.deeds {
        if !deed.is_input() {
            continue;
        }
        let content = deed.content();
        let entry = found.remove(content.as_str());
        if let Some(entry) = entry {
            let sequence = entry["sequence"].as_u64().expect("a number");
            assert!(sequence > last, "{name}: {entry} is out of order");
            last = sequence;
            deed.run_id = Some(text(entry, "run_id").to_owned());
        }
        match &deed.fate {
            Fate::Acknowledged(answer) => {
                let accepted = answer.json();
                let sequence = accepted["sequence"].as_u64().expect("a number");
                assert!(sequence <= length, "{name} has no {sequence}: {accepted}");
                if sequence < first {
                    assert!(scope.said - deed.said > RECENT, "{name} gave up {accepted}");
                    continue;
                }
                let entry = entry.unwrap_or_else(|| panic!("{name} lost {accepted}: {content}"));
                for field in ["sequence", "run_id"] {
                    assert_eq!(entry[field], accepted[field], "{name}: {entry}");
                }
            }
            Fate::Seen => assert!(entry.is_some() || first > 1, "{name} lost {content}"),
            Fate::Absent => assert!(entry.is_none(), "{name} has {content}, which was refused"),
            Fate::Doubtful if deed.command.key.is_none() && first == 1 => {
                deed.fate = entry.map_or(Fate::Absent, |_| Fate::Seen);
            }
            Fate::Doubtful => {}
        }
    }
}

/// Whatever was said is the answer to what was told, and said once.
fn answers(known: &Known, entries: &[Value], first: u64) {
    let mut before: Option<&str> = None;
    for entry in entries.iter().filter(|entry| entry["role"] != "user") {
        let run_id = text(entry, "run_id");
        assert_ne!(before, Some(run_id), "said twice: {entry}");
        before = Some(run_id);
        let Some(place) = known.began(run_id) else {
            // Its question may be given up, and that alone.
            let is_first = entry["sequence"] == first && first > 1;
            assert!(is_first, "{}: no question for {entry}", known.name);
            continue;
        };
        let said = text(entry, "content");
        let content = known.deeds[place].content();
        let whole = if known.is_slow { WORKING } else { &content };
        // A run that was ended was cut.
        assert!(whole.starts_with(said), "{}: {entry}", known.name);
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().expect("text")
}
