//! Putting records into logs, and dropping logs.

use worker_runtime::{Condition, Store};

use super::Kept;
use super::answers::answered;
use super::kinds::whole_logs;
use super::ledger::Ledger;
use super::sample::{
    ALL, entries_of, events_of, forget, key, keyed, log, log_of, read, read_entries, record,
    records, same, seqs,
};

/// What a commit acknowledged is read back as it was, in order.
///
/// # Errors
/// What the store did instead.
pub async fn keeps_what_is_committed(store: &dyn Store) -> Kept {
    let log = log(0);
    let written = Ledger::new().fill(store, &log, 3).await?;
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
    for (log, written) in whole_logs() {
        let ledger = Ledger::new();
        for record in written.clone() {
            ledger.commit(store, record).await?;
        }
        let written = events_of(&written);
        let (_, found) = read(store, &log, ALL).await?;
        same("the events", &seqs(&found), &seqs(&written))?;
        for (found, written) in found.iter().zip(&written) {
            let what = format!("event {} ({})", written.seq, written.event.type_name());
            same(&what, found, written)?;
        }
        let (_, found) = read_entries(store, &log, ALL).await?;
        same("the entries", &found, &entries_of(&written))?;
    }
    Ok(())
}

/// Once a commit has returned, all events of its record are there.
///
/// # Errors
/// What the store did instead.
pub async fn a_record_is_all_there(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    let mut written = 0;
    for record in records(&log, 3) {
        written += record.events.len();
        ledger.commit(store, record).await?;
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
    let (log, ledger) = (log(0), Ledger::new());
    let written = ledger.fill(store, &log, 1).await?;
    ledger
        .commit(store, keyed(record(&log, Vec::new()), &[1]))
        .await?;
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
        written.push(Ledger::new().fill(store, log, runs).await?);
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
    let (dropped, kept, ledger) = (log(0), log(1), Ledger::new());
    ledger.fill(store, &dropped, 2).await?;
    let written = ledger.fill(store, &kept, 2).await?;
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
    let begun = ledger.fill(store, &next, 1).await?;
    let (_, found) = read(store, &next, ALL).await?;
    same(
        "the events of the next life",
        &found,
        &events_of(&records(&next, 1)),
    )?;
    same("what was committed of it", &begun.len(), &found.len())
}

/// A store that has not failed says that it is sound: fresh, and after all that it is used for.
///
/// # Errors
/// What the store said instead.
pub async fn a_sound_store_says_so(store: &dyn Store) -> Kept {
    let (dropped, kept, ledger) = (log(0), log(1), Ledger::new());
    sound(store, "of a fresh store")?;
    ledger.fill(store, &dropped, 2).await?;
    ledger.fill(store, &kept, 2).await?;
    let alone = keyed(record(&kept, Vec::new()), &[1]);
    ledger.commit(store, alone).await?;
    sound(store, "once records are taken")?;
    read(store, &kept, ALL).await?;
    // Nothing is wrong with what was never there.
    read_entries(store, &log(9), ALL).await?;
    answered(store, "once it is committed", &[1]).await?;
    sound(store, "once it is read")?;
    forget(store, &dropped).await?;
    read(store, &dropped, ALL).await?;
    store.expire_answers(key(2).at);
    answered(store, "once it has expired", &[]).await?;
    sound(store, "once something is dropped")
}

/// Holds a store to say that it is sound.
pub(super) fn sound(store: &dyn Store, when: &str) -> Kept {
    let what = format!("the condition {when}");
    same(&what, &store.condition(), &Condition::Sound)
}

/// The store says what kind it is in one plain word, and no text of its diagnostics has a path in
/// it: nothing there has a slash, forward or backward.
///
/// # Errors
/// What the store said instead.
pub async fn says_no_path(store: &dyn Store) -> Kept {
    Ledger::new().fill(store, &log(0), 1).await?;
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
