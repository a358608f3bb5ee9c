//! Putting records into logs, and dropping logs.

use worker_runtime::Store;

use super::Kept;
use super::kinds::whole_log;
use super::sample::{
    ALL, commit, entries_of, events_of, fill, forget, keyed, log, log_of, read, read_entries,
    record, records, same, seqs,
};

/// What a commit acknowledged is read back as it was, in order.
///
/// # Errors
/// What the store did instead.
pub async fn keeps_what_is_committed(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = fill(store, &log, 3).await?;
    let (first, found) = read(store, &log, ALL).await?;
    same("first_seq", &first, &1)?;
    same("the events", &found, &written)
}

/// Events of every kind come back as they were: each field, whatever text is in it, however large,
/// and also those of a newer version.
///
/// # Errors
/// What the store did instead.
pub async fn keeps_every_kind_of_event(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = whole_log(&log);
    for record in written.clone() {
        commit(store, record).await?;
    }
    let written = events_of(&written);
    let (_, found) = read(store, &log, ALL).await?;
    same("the events", &seqs(&found), &seqs(&written))?;
    for (found, written) in found.iter().zip(&written) {
        let what = format!("event {} ({})", written.seq, written.event.type_name());
        same(&what, found, written)?;
    }
    let (_, found) = read_entries(store, &log, ALL).await?;
    same("the entries", &found, &entries_of(&written))
}

/// Once a commit has returned, all events of its record are there.
///
/// # Errors
/// What the store did instead.
pub async fn a_record_is_all_there(store: &dyn Store) -> Kept {
    let log = log(0);
    let mut written = 0;
    for record in records(&log, 3) {
        written += record.events.len();
        commit(store, record).await?;
        let (_, found) = read(store, &log, ALL).await?;
        same("the events after a commit", &found.len(), &written)?;
    }
    Ok(())
}

/// A record without events, of a command that changed nothing, is taken and changes no log.
///
/// # Errors
/// What the store did instead.
pub async fn a_record_of_keys_alone_changes_no_log(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = fill(store, &log, 1).await?;
    commit(store, keyed(record(&log, Vec::new()), &[1])).await?;
    let (first, found) = read(store, &log, ALL).await?;
    same("first_seq", &first, &1)?;
    same("the events", &found, &written)
}

/// Two lives of one Worker, and two Workers, have logs that do not mix.
///
/// # Errors
/// What the store did instead.
pub async fn keeps_logs_apart(store: &dyn Store) -> Kept {
    let logs = [log(0), log_of("w-2", 0), log(1)];
    let mut written = Vec::new();
    for (runs, log) in (1..).zip(&logs) {
        written.push(fill(store, log, runs).await?);
    }
    for (log, written) in logs.iter().zip(&written) {
        let (_, found) = read(store, log, ALL).await?;
        same("the events of one of three logs", &found, written)?;
    }
    Ok(())
}

/// A log that was dropped reads as empty, the others stay, and its Worker may begin anew. To drop
/// what is not there, or not any more, is no error.
///
/// # Errors
/// What the store did instead.
pub async fn forgets_one_log_alone(store: &dyn Store) -> Kept {
    let (dropped, kept) = (log(0), log(1));
    fill(store, &dropped, 2).await?;
    let written = fill(store, &kept, 2).await?;
    // A start that is not sure tries again.
    for log in [&dropped, &dropped, &log(9)] {
        forget(store, log).await?;
    }
    let (first, found) = read(store, &dropped, ALL).await?;
    same("first_seq of a dropped log", &first, &1)?;
    same("the events of a dropped log", &seqs(&found), &Vec::new())?;
    let (_, entries) = read_entries(store, &dropped, ALL).await?;
    same("the entries of a dropped log", &entries, &Vec::new())?;
    let (_, found) = read(store, &kept, ALL).await?;
    same("the events of the log beside it", &found, &written)?;
    let next = log(2);
    let begun = fill(store, &next, 1).await?;
    let (_, found) = read(store, &next, ALL).await?;
    same(
        "the events of the next life",
        &found,
        &events_of(&records(&next, 1)),
    )?;
    same("what was committed of it", &begun.len(), &found.len())
}

/// The store says what kind it is in one plain word, and no text of its diagnostics has a path in
/// it: nothing there has a slash, forward or backward.
///
/// # Errors
/// What the store said instead.
pub async fn says_no_path(store: &dyn Store) -> Kept {
    fill(store, &log(0), 1).await?;
    says_no_path_now(store)
}

/// Holds what a store says at the moment to have no path in it.
pub(super) fn says_no_path_now(store: &dyn Store) -> Kept {
    let kind = store.kind();
    let is_plain = |letter: char| letter.is_ascii_lowercase() || "-_0123456789".contains(letter);
    if kind.is_empty() || !kind.chars().all(is_plain) {
        return Err(format!("its kind is {kind:?}, which is not one plain word"));
    }
    for diagnostic in store.diagnostics() {
        pathless(&diagnostic.code)?;
        pathless(&diagnostic.message)?;
    }
    Ok(())
}

/// Holds a text to have no path in it.
pub(super) fn pathless(text: &str) -> Kept {
    if text.contains(['/', '\\']) {
        return Err(format!("a text that may carry a path: {text:?}"));
    }
    Ok(())
}
