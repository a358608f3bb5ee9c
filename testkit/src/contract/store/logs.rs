//! Putting records into logs, and dropping logs.

use worker_runtime::Store;
use worker_runtime::store::Record;

use super::Kept;
use super::sample::{
    ALL, commit, events_of, fill, key, log, log_of, read, read_entries, records, same, seqs,
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
    let keys = Record {
        log: log.clone(),
        events: Vec::new(),
        keys: vec![key(1)],
    };
    commit(store, keys).await?;
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

/// Records of different logs are taken at the same time, each in its own order.
///
/// # Errors
/// What the store did instead.
pub async fn takes_many_logs_at_once(store: &dyn Store) -> Kept {
    let logs: [_; 4] = std::array::from_fn(|number| log(number as u128));
    let [a, b, c, d] = logs.each_ref();
    let (a, b) = (fill(store, a, 20), fill(store, b, 21));
    let (c, d) = (fill(store, c, 22), fill(store, d, 23));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    for (log, written) in logs.iter().zip([a?, b?, c?, d?]) {
        let (_, found) = read(store, log, ALL).await?;
        same(
            "the events of one of four logs",
            &seqs(&found),
            &seqs(&written),
        )?;
    }
    Ok(())
}

/// A log that was dropped reads as empty, the others stay, and its Worker may begin anew.
///
/// # Errors
/// What the store did instead.
pub async fn forgets_one_log_alone(store: &dyn Store) -> Kept {
    let (dropped, kept) = (log(0), log(1));
    fill(store, &dropped, 2).await?;
    let written = fill(store, &kept, 2).await?;
    let forgotten = store.forget(&dropped).await;
    forgotten.map_err(|error| format!("a log could not be dropped: {error}"))?;
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
