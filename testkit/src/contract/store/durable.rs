//! What the next process finds.

use std::collections::HashMap;
use std::sync::Arc;

use worker_runtime::Store;
use worker_runtime::store::{KeyRecord, LogId, Record, StoredEvent};

use super::Kept;
use super::sample::{
    ALL, commit, events_of, fill, key, log, log_of, read, read_entries, record, records, run, same,
    seqs,
};

/// What `recover` handed over.
#[derive(Default)]
struct Recovered {
    events: HashMap<LogId, Vec<StoredEvent>>,
    keys: Vec<KeyRecord>,
}

async fn recover(store: &dyn Store) -> Result<Recovered, String> {
    let mut recovered = Recovered::default();
    let mut take = |record: Record| {
        let events = recovered.events.entry(record.log).or_default();
        events.extend(record.events);
        recovered.keys.extend(record.keys);
    };
    let read = store.recover(&mut take).await;
    read.map_err(|error| format!("recover failed: {error}"))?;
    // A record of keys alone makes no log.
    recovered.events.retain(|_, events| !events.is_empty());
    Ok(recovered)
}

/// Every record that was acknowledged comes back, those of one log in their order.
///
/// # Errors
/// What the store did instead.
pub async fn records_come_back_in_order<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let logs = [log(0), log_of("w-2", 1)];
    let [one, other] = logs.each_ref().map(|log| records(log, 3));
    for (one, other) in one.iter().zip(&other) {
        commit(&*store, one.clone()).await?;
        commit(&*store, other.clone()).await?;
    }
    let recovered = recover(&*reopen(store).await).await?;
    same("the logs that came back", &recovered.events.len(), &2)?;
    for (log, written) in logs.iter().zip([one, other]) {
        let found = recovered.events.get(log).cloned().unwrap_or_default();
        same(
            "the events of a log that came back",
            &found,
            &events_of(&written),
        )?;
    }
    Ok(())
}

/// The answers to remember come back, also those of commands that changed nothing.
///
/// # Errors
/// What the store did instead.
pub async fn keys_come_back_with_their_records<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    fill(&*store, &log, 0).await?;
    let with_events = Record {
        keys: vec![key(1)],
        ..record(&log, run(2, 1, "once"))
    };
    commit(&*store, with_events).await?;
    let alone = Record {
        keys: vec![key(2)],
        ..record(&log, Vec::new())
    };
    commit(&*store, alone).await?;
    let mut recovered = recover(&*reopen(store).await).await?;
    recovered.keys.sort_by_key(|key| key.key);
    same(
        "the keys that came back",
        &recovered.keys,
        &vec![key(1), key(2)],
    )
}

/// After `recover`, events and transcript read as they did before.
///
/// # Errors
/// What the store did instead.
pub async fn what_was_read_is_read_again<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    fill(&*store, &log, 3).await?;
    let events = read(&*store, &log, ALL).await?;
    let entries = read_entries(&*store, &log, ALL).await?;
    let next = reopen(store).await;
    recover(&*next).await?;
    same("the events", &read(&*next, &log, ALL).await?, &events)?;
    same(
        "the entries",
        &read_entries(&*next, &log, ALL).await?,
        &entries,
    )
}

/// A log goes on where it ended, and comes back whole from the restart after the next.
///
/// # Errors
/// What the store did instead.
pub async fn numbers_go_on_after_a_restart<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    fill(&*store, &log, 1).await?;
    let second = reopen(store).await;
    recover(&*second).await?;
    commit(&*second, record(&log, run(7, 3, "later"))).await?;
    let (_, found) = read(&*second, &log, ALL).await?;
    let all: Vec<u64> = (1..=11).collect();
    same(
        "the events of both lives of the process",
        &seqs(&found),
        &all,
    )?;
    let recovered = recover(&*reopen(second).await).await?;
    let found = recovered.events.get(&log).map(|events| seqs(events));
    same("what the third one finds", &found, &Some(all))
}

/// A log that was dropped stays dropped, and its neighbour comes back.
///
/// # Errors
/// What the store did instead.
pub async fn forgotten_logs_do_not_come_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (dropped, kept) = (log(0), log(1));
    fill(&*store, &dropped, 1).await?;
    fill(&*store, &kept, 1).await?;
    let forgotten = store.forget(&dropped).await;
    forgotten.map_err(|error| format!("a log could not be dropped: {error}"))?;
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    let logs: Vec<&LogId> = recovered.events.keys().collect();
    same("the logs that came back", &logs, &vec![&kept])?;
    let (_, found) = read(&*next, &dropped, ALL).await?;
    same("the events of the dropped log", &seqs(&found), &Vec::new())
}

/// The answers to remember outlive a log that was dropped: they have a time of their own.
///
/// # Errors
/// What the store did instead.
pub async fn keys_outlive_their_log<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    fill(&*store, &log, 0).await?;
    let with_key = Record {
        keys: vec![key(1)],
        ..record(&log, run(2, 1, "once"))
    };
    commit(&*store, with_key).await?;
    let forgotten = store.forget(&log).await;
    forgotten.map_err(|error| format!("a log could not be dropped: {error}"))?;
    let recovered = recover(&*reopen(store).await).await?;
    same("the keys that came back", &recovered.keys, &vec![key(1)])
}
