//! What a process finds that starts again, where that is not what was kept: each is caught, by the
//! function of the guarantee that it breaks.

use std::sync::Arc;

use worker_runtime::store::Record;
use yoi_protocol::{Event, Timestamp};
use yoi_testkit::TestStore;
use yoi_testkit::contract::store;

use crate::broken_stores::said;

type Change = fn(Vec<Record>) -> Vec<Record>;

fn without_the_last(mut records: Vec<Record>) -> Vec<Record> {
    records.pop();
    records
}

fn without_keys(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.keys.clear();
    }
    records
}

/// What happened in another order, and what it adds up to is the same.
fn with_events_swapped(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        if let [input, start, _, ..] = &mut record.events[..] {
            std::mem::swap(&mut input.event, &mut start.event);
        }
    }
    records
}

/// So that it does not add up.
fn with_numbers_swapped(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        if record.events.len() > 2 {
            record.events.swap(0, 1);
        }
    }
    records
}

fn with_logs_swapped(mut records: Vec<Record>) -> Vec<Record> {
    let mut logs: Vec<_> = records.iter().map(|record| record.log.clone()).collect();
    logs.sort();
    logs.dedup();
    for record in &mut records {
        if let [one, other] = &logs[..] {
            let is_one = record.log == *one;
            record.log = if is_one { other.clone() } else { one.clone() };
        }
    }
    records
}

fn without_logs(mut records: Vec<Record>) -> Vec<Record> {
    records.retain(|record| !record.events.is_empty());
    records
}

fn without_the_first(mut records: Vec<Record>) -> Vec<Record> {
    records.retain(|record| record.events.first().is_none_or(|first| first.seq != 1));
    records
}

fn without_what_is_unknown(mut records: Vec<Record>) -> Vec<Record> {
    for event in records.iter_mut().flat_map(|record| &mut record.events) {
        if let Event::Unknown(unknown) = &mut event.event {
            unknown.fields.clear();
        }
    }
    records
}

fn with_keys_of_events_alone(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        if record.events.is_empty() {
            record.keys.clear();
        }
    }
    records
}

fn with_answers_written_anew(mut records: Vec<Record>) -> Vec<Record> {
    for key in records.iter_mut().flat_map(|record| &mut record.keys) {
        let answer: serde_json::Value = serde_json::from_str(&key.answer).expect("JSON");
        key.answer = answer.to_string().into();
    }
    records
}

fn with_times_in_seconds(mut records: Vec<Record>) -> Vec<Record> {
    for event in records.iter_mut().flat_map(|record| &mut record.events) {
        event.at = Timestamp::from_unix_ms(event.at.as_unix_ms() / 1_000 * 1_000);
    }
    records
}

#[tokio::test]
async fn each_broken_restart_is_caught_by_the_guarantee_that_it_breaks() {
    let cases: [(Change, &str); 14] = [
        (without_the_last, "numbers_go_on_after_a_restart"),
        (with_events_swapped, "records_come_back_in_order"),
        (with_numbers_swapped, "records_come_back_in_order"),
        (with_logs_swapped, "records_come_back_in_order"),
        (without_keys, "keys_come_back_with_their_records"),
        (
            with_keys_of_events_alone,
            "keys_come_back_with_their_records",
        ),
        (without_keys, "answers_expire_after_a_restart"),
        (without_logs, "keys_outlive_their_log"),
        (with_answers_written_anew, "keys_outlive_their_log"),
        (without_the_first, "logs_begin_with_a_snapshot"),
        (without_what_is_unknown, "every_kind_of_event_comes_back"),
        (with_times_in_seconds, "what_was_read_is_read_again"),
        (with_times_in_seconds, "every_kind_of_event_comes_back"),
        (without_the_last, "forgotten_logs_do_not_come_back"),
    ];
    for (change, guarantee) in cases {
        let reopen = async |store: Arc<TestStore>| TestStore::holding(change(store.records()));
        let durable = said(store::check_durable(async || TestStore::new(), reopen)).await;
        assert!(durable.contains(guarantee), "{guarantee}: {durable}");
        let crashed = said(store::check_crash(async || TestStore::new(), reopen)).await;
        assert!(crashed.contains(guarantee), "{guarantee}: {crashed}");
    }
}

#[tokio::test]
async fn what_is_lost_in_a_crash_is_missed() {
    let crash = async |store: Arc<TestStore>| TestStore::holding(without_the_last(store.records()));
    let said = said(store::check_crash(async || TestStore::new(), crash)).await;
    assert!(said.contains("what_was_acknowledged_is_there"), "{said}");
}

#[tokio::test]
async fn a_bounded_log_that_comes_back_wrong_is_caught() {
    let guarantee = "bounded_logs_come_back";
    let cases: [(Change, &str); 5] = [
        (without_the_first, "recover failed"),
        (without_the_last, "what a log adds up to"),
        (with_times_in_seconds, "what a log adds up to"),
        (with_events_swapped, "the events from first_seq on"),
        (without_keys, "whose events are given up"),
    ];
    for (change, what) in cases {
        let reopen = async |store: Arc<TestStore>| TestStore::holding(change(store.records()));
        let open = async || TestStore::bounded(9, u64::MAX);
        let said = said(store::check_durable_bounded(open, reopen)).await;
        assert!(said.contains(guarantee) && said.contains(what), "{said}");
    }
}
