use yoi_protocol::{Delta, RunId};

use super::Said;

fn run(name: &str) -> RunId {
    RunId::parse(name).expect("a run id")
}

fn delta(said: &mut Said, offset: u64, text: &str) -> String {
    let delta = Delta::Text {
        run_id: run("run-1"),
        offset,
        text: text.to_owned(),
    };
    said.delta(&delta).expect("text").1.to_owned()
}

#[test]
fn deltas_and_the_entry_that_follows_are_said_once() {
    let mut said = Said::default();
    assert_eq!(delta(&mut said, 0, "hé"), "hé");
    assert_eq!(delta(&mut said, 3, "llo"), "llo");
    assert_eq!(said.entry(&run("run-1"), "héllo"), "");
    assert_eq!(
        delta(&mut said, 0, "again"),
        "again",
        "offsets begin anew after an entry"
    );
}

#[test]
fn an_entry_without_its_deltas_is_said_whole() {
    let mut said = Said::default();
    assert_eq!(said.entry(&run("run-1"), "hello"), "hello");
}

#[test]
fn whoever_joins_late_hears_what_was_in_flight_and_then_the_rest() {
    let mut said = Said::default();
    assert_eq!(said.piece(&run("run-1"), 0, "hel"), "hel");
    assert_eq!(delta(&mut said, 1, "ello"), "lo", "an overlap is trimmed");
    assert_eq!(delta(&mut said, 0, "hello"), "", "a repetition is left out");
    assert_eq!(said.entry(&run("run-1"), "hello!"), "!");
}

#[test]
fn another_run_begins_anew() {
    let mut said = Said::default();
    assert_eq!(delta(&mut said, 0, "hello"), "hello");
    assert_eq!(said.piece(&run("run-2"), 0, "hello"), "hello");
}
