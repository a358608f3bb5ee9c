//! Reading parts of a log.

use worker_runtime::Store;
use worker_runtime::store::{Range, StoredEvent};
use yoi_protocol::{Entry, Event};

use super::Kept;
use super::ledger::Ledger;
use super::sample::{
    ALL, entries_of, log, read, read_entries, record, records, run, same, seqs, sequences,
};

/// A log that does not exist reads as empty, from 1 on.
///
/// # Errors
/// What the store did instead.
pub async fn unknown_logs_read_as_empty(store: &dyn Store) -> Kept {
    Ledger::new().fill(store, &log(0), 1).await?;
    let (first, events) = read(store, &log(9), ALL).await?;
    same("first_seq", &first, &1)?;
    same("the events", &seqs(&events), &Vec::new())?;
    let (first, entries) = read_entries(store, &log(9), ALL).await?;
    same("first_sequence", &first, &1)?;
    same("the entries", &entries, &Vec::new())
}

/// `after` is left out, `until` is within, no more than `max_items` are read, and one where that
/// allows none; of events and of entries, for every such range.
///
/// # Errors
/// What the store did instead.
pub async fn reads_between_after_and_until(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = Ledger::new().fill(store, &log, 2).await?;
    let entries = entries_of(&written);
    let last = written.len() as u64;
    for after in 0..=last + 1 {
        for until in (0..=last + 1).chain([u64::MAX]) {
            for max_items in [0, 1, 2, 7, usize::MAX] {
                let range = Range {
                    after,
                    until,
                    max_items,
                    ..ALL
                };
                let what = format!("after {after} until {until}, at most {max_items}");
                let is_asked = |number: u64| number > after && number <= until;
                let expected = written.iter().filter(|event| is_asked(event.seq));
                let expected: Vec<StoredEvent> = expected.take(max_items.max(1)).cloned().collect();
                let (first, found) = read(store, &log, range).await?;
                same(&format!("events {what}"), &found, &expected)?;
                same(&format!("first_seq {what}"), &first, &1)?;
                let expected = entries.iter().filter(|entry| is_asked(entry.sequence));
                let expected: Vec<Entry> = expected.take(max_items.max(1)).cloned().collect();
                let (first, found) = read_entries(store, &log, range).await?;
                same(&format!("entries {what}"), &found, &expected)?;
                same(&format!("first_sequence {what}"), &first, &1)?;
            }
        }
    }
    Ok(())
}

/// After the last there is nothing, however far; what is kept is still told.
///
/// # Errors
/// What the store did instead.
pub async fn nothing_is_read_past_the_end(store: &dyn Store) -> Kept {
    let log = log(0);
    Ledger::new().fill(store, &log, 1).await?;
    for after in [6, 7, 1_000, u64::MAX] {
        let range = Range { after, ..ALL };
        let (first, events) = read(store, &log, range).await?;
        same(
            &format!("events after {after}"),
            &seqs(&events),
            &Vec::new(),
        )?;
        same("first_seq", &first, &1)?;
        let (first, entries) = read_entries(store, &log, range).await?;
        same(&format!("entries after {after}"), &entries, &Vec::new())?;
        same("first_sequence", &first, &1)?;
    }
    Ok(())
}

/// A page has no more than `max_items`, and they are the first.
///
/// # Errors
/// What the store did instead.
pub async fn max_items_bounds_a_page(store: &dyn Store) -> Kept {
    let log = log(0);
    Ledger::new().fill(store, &log, 3).await?;
    for max_items in 1..=4 {
        let range = Range {
            after: 2,
            max_items,
            ..ALL
        };
        let count = max_items as u64;
        let (_, events) = read(store, &log, range).await?;
        let expected: Vec<u64> = (3..3 + count).collect();
        same(
            &format!("a page of {max_items} events"),
            &seqs(&events),
            &expected,
        )?;
        let (_, entries) = read_entries(store, &log, range).await?;
        let expected: Vec<u64> = (3..=6).take(max_items).collect();
        same(
            &format!("a page of {max_items} entries"),
            &sequences(&entries),
            &expected,
        )?;
    }
    Ok(())
}

/// A page ends before it is larger than `max_bytes` of JSON.
///
/// # Errors
/// What the store did instead.
pub async fn max_bytes_bounds_a_page(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    for record in records(&log, 0) {
        ledger.commit(store, record).await?;
    }
    for index in 0..8 {
        let large = "x".repeat(1_000);
        ledger
            .commit(
                store,
                record(&log, run(&log, 2 + 5 * index, 1 + 2 * index, &large)),
            )
            .await?;
    }
    let range = Range {
        max_bytes: 4_500,
        ..ALL
    };
    let (_, entries) = read_entries(store, &log, range).await?;
    let said: usize = entries.iter().map(|entry| entry.content.len()).sum();
    let fits = (2_000..=4_500).contains(&said);
    same("a page of entries is filled, and no more", &fits, &true)
        .map_err(|error| format!("{error}: {said} bytes of at most 4500"))?;
    let (_, events) = read(store, &log, range).await?;
    let said: usize = events
        .iter()
        .map(|event| match &event.event {
            Event::EntryAppended { entry } => entry.content.len(),
            _ => 0,
        })
        .sum();
    let fits = (1_000..=4_500).contains(&said);
    same("a page of events is filled, and no more", &fits, &true)
        .map_err(|error| format!("{error}: {said} bytes of at most 4500"))
}

/// However large it is, the first that is asked for is read.
///
/// # Errors
/// What the store did instead.
pub async fn at_least_one_is_read(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    for record in records(&log, 0) {
        ledger.commit(store, record).await?;
    }
    ledger
        .commit(store, record(&log, run(&log, 2, 1, &"x".repeat(100_000))))
        .await?;
    for after in [0, 3] {
        let range = Range {
            after,
            max_bytes: 1,
            ..ALL
        };
        let (_, events) = read(store, &log, range).await?;
        same(
            "the events of a page too small for one",
            &seqs(&events),
            &vec![after + 1],
        )?;
    }
    let range = Range {
        after: 1,
        max_bytes: 1,
        ..ALL
    };
    let (_, entries) = read_entries(store, &log, range).await?;
    same(
        "the entries of a page too small for one",
        &sequences(&entries),
        &vec![2],
    )
}

/// The transcript is the entries of `input_accepted` and `entry_appended`, as they were.
///
/// # Errors
/// What the store did instead.
pub async fn entries_are_those_of_the_events(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = Ledger::new().fill(store, &log, 3).await?;
    let expected = entries_of(&written);
    let (first, found) = read_entries(store, &log, ALL).await?;
    same("first_sequence", &first, &1)?;
    same("the entries", &found, &expected)
}
