//! What a store keeps that does not keep everything.

use worker_runtime::Store;
use worker_runtime::store::Range;
use yoi_protocol::{Event, WorkerStatus};

use super::Kept;
use super::ledger::Ledger;
use super::sample::{
    ALL, entries_of, events_of, from, log, read, read_entries, record, records, run, same, seqs,
    sequences, stored,
};

/// So many runs are more than a bounded store keeps.
const RUNS: u64 = 200;
/// Their last event, and their last entry.
const LAST: u64 = 1 + 5 * RUNS;
const LAST_ENTRY: u64 = 2 * RUNS;

/// Only the oldest events are given up: what is there reaches to the last without a hole, is what
/// was written, and `first_seq` tells where it begins.
///
/// # Errors
/// What the store did instead.
pub async fn gives_up_only_the_oldest(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = Ledger::new().fill(store, &log, RUNS).await?;
    let (first, found) = read(store, &log, ALL).await?;
    if first < 2 {
        return Err(format!(
            "first_seq: {first}, and it was to give something up"
        ));
    }
    let kept: Vec<u64> = (first..=LAST).collect();
    same("the events from first_seq on", &seqs(&found), &kept)?;
    same("the events", &found.as_slice(), &from(&written, first))
}

/// Who asks for what is not kept any more is told where it begins: events are read from
/// `first_seq` on, and none where all that is asked for is gone.
///
/// # Errors
/// What the store did instead.
pub async fn reads_before_the_first_begin_there(store: &dyn Store) -> Kept {
    let log = log(0);
    Ledger::new().fill(store, &log, RUNS).await?;
    let (first, _) = read(store, &log, ALL).await?;
    for after in [0, first.saturating_sub(2), first.saturating_sub(1)] {
        let range = Range {
            after,
            max_items: 1,
            ..ALL
        };
        let (told, found) = read(store, &log, range).await?;
        same(&format!("first_seq after {after}"), &told, &first)?;
        // An empty store beyond its last event has none to begin with.
        let begin: Vec<u64> = (first..=LAST).take(1).collect();
        same(&format!("one event after {after}"), &seqs(&found), &begin)?;
    }
    for after in [0, LAST, LAST + 9] {
        let until = if after == 0 {
            first.saturating_sub(1)
        } else {
            u64::MAX
        };
        let range = Range {
            after,
            until,
            ..ALL
        };
        let (told, found) = read(store, &log, range).await?;
        let what = format!("events after {after} until {until}");
        same(&what, &seqs(&found), &Vec::new())?;
        same(&format!("first_seq of {what}"), &told, &first)?;
    }
    Ok(())
}

/// Entries are given up as events are: the oldest, and `first_sequence` tells where those begin
/// that are there. A store may keep more entries than events.
///
/// # Errors
/// What the store did instead.
pub async fn gives_up_only_the_oldest_entries(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = entries_of(&Ledger::new().fill(store, &log, RUNS).await?);
    let (first, found) = read_entries(store, &log, ALL).await?;
    let kept: Vec<u64> = (first..=LAST_ENTRY).collect();
    same(
        "the entries from first_sequence on",
        &sequences(&found),
        &kept,
    )?;
    same("the entries", &found.as_slice(), &from(&written, first))?;
    let range = Range {
        after: 0,
        max_items: 1,
        ..ALL
    };
    let (told, found) = read_entries(store, &log, range).await?;
    same("first_sequence of a page", &told, &first)?;
    let begin: Vec<u64> = (first..=LAST_ENTRY).take(1).collect();
    same("one entry from the start", &sequences(&found), &begin)?;
    let until = first.saturating_sub(1);
    let (told, found) = read_entries(store, &log, Range { until, ..ALL }).await?;
    same("first_sequence of what is gone", &told, &first)?;
    same("entries that are gone", &sequences(&found), &Vec::new())
}

/// Where no entry is kept, `first_sequence` is the last and one; the next entry has that number.
///
/// # Errors
/// What the store did instead.
pub async fn an_empty_transcript_begins_after_the_last(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    for record in records(&log, 3) {
        ledger.commit(store, record).await?;
    }
    // So many events that say nothing that every entry may be given up.
    let silent = Event::StatusChanged {
        status: WorkerStatus::Idle,
    };
    let silence: Vec<u64> = (17..=LAST).collect();
    for seqs in silence.chunks(20) {
        let events = seqs.iter().map(|seq| stored(&log, *seq, silent.clone()));
        ledger.commit(store, record(&log, events.collect())).await?;
    }
    let (first, found) = read_entries(store, &log, ALL).await?;
    let kept: Vec<u64> = (first..=6).collect();
    same(
        "the entries from first_sequence on",
        &sequences(&found),
        &kept,
    )?;
    same(
        "first_sequence is at most one past the last",
        &(first <= 7),
        &true,
    )?;
    let more = run(&log, LAST + 1, 7, "again");
    ledger.commit(store, record(&log, more.clone())).await?;
    let range = Range { after: 6, ..ALL };
    let (_, found) = read_entries(store, &log, range).await?;
    let expected = entries_of(&events_of(&[record(&log, more)]));
    // Those that are kept of the two: the oldest may be gone again.
    let kept = expected.len() - found.len().min(expected.len());
    same(
        "the entries that follow",
        &found.as_slice(),
        &&expected[kept..],
    )
}
