//! What is left when nothing was ended in order.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::yield_now;
use worker_runtime::store::{KeyRecord, LogId, Record, StoredEvent};
use worker_runtime::{Store, StoreError};

use super::Kept;
use super::meanwhile::poll_once;
use super::recovered::{Recovered, recover};
use super::sample::{
    ALL, commit, events_of, fill, key, keyed, log, read, record, records, run, same, seqs,
};

/// How many steps of a commit are taken before it is given up: none, one, and so on.
const STEPS: usize = 6;

/// A commit that its caller gives up half-way is there whole, or not at all: for who reads on, and
/// for the next process. Its log goes on either way.
///
/// # Errors
/// What the store did instead.
pub async fn a_commit_given_up_is_whole_or_not_there<S: Store + 'static>(
    store: Arc<S>,
    crash: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let mut written = Vec::new();
    for steps in 0..STEPS {
        let log = log(steps as u128);
        let mut events = fill(&*store, &log, 1).await?;
        let given_up = keyed(record(&log, run(&log, 7, 3, "given up")), &[steps as u8]);
        give_up_after(steps, store.commit(given_up.clone())).await?;
        // One log is written in order, so what becomes of the record is known once this is taken.
        commit(&*store, record(&log, Vec::new())).await?;
        let (_, found) = read(&*store, &log, ALL).await?;
        if found.len() > events.len() {
            events.extend(given_up.events);
        }
        let what = format!("the events after a commit given up at step {steps}");
        same(&what, &found, &events)?;
        let next = events.len() as u64 + 1;
        let entry = 2 * (next - 2) / 5 + 1;
        let later = record(&log, run(&log, next, entry, "later"));
        commit(&*store, later.clone()).await?;
        events.extend(later.events);
        written.push((log, events));
    }
    let recovered = recover(&*crash(store).await).await?;
    for (steps, (log, events)) in written.iter().enumerate() {
        let what = format!("what is recovered of it, given up at step {steps}");
        same(&what, &recovered.of(log), events)?;
        let has_key = recovered.keys().contains(&key(steps as u8));
        same(
            &format!("whether its key is: {what}"),
            &has_key,
            &(events.len() > 11),
        )?;
    }
    Ok(())
}

/// A process that ends in the middle of a commit leaves its record whole, with its keys, or not at
/// all; what was acknowledged before is there, and numbers go on from what is found.
///
/// # Errors
/// What the store did instead.
pub async fn a_commit_cut_by_the_end_is_whole_or_not_there<S: Store + 'static>(
    mut store: Arc<S>,
    crash: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    for steps in 0..STEPS {
        let log = log(steps as u128);
        let before = fill(&*store, &log, 1).await?;
        let cut = keyed(record(&log, run(&log, 7, 3, "cut")), &[steps as u8]);
        give_up_after(steps, store.commit(cut.clone())).await?;
        let next = crash(store).await;
        let recovered = recover(&*next).await?;
        whole_or_not_there(&recovered, &before, &cut)?;
        let (_, found) = read(&*next, &log, ALL).await?;
        same("what is read of it", &found, &recovered.of(&log))?;
        goes_on(&*next, &log, &found).await?;
        store = next;
    }
    Ok(())
}

/// Everything that was acknowledged is there when the process ends the moment after.
///
/// # Errors
/// What the store did instead.
pub async fn what_was_acknowledged_is_there<S: Store + 'static>(
    mut store: Arc<S>,
    crash: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    let records = (0..).zip(records(&log, 5));
    let mut written: (Vec<StoredEvent>, Vec<KeyRecord>) = Default::default();
    for (number, record) in records {
        let record = keyed(record, &[number]);
        commit(&*store, record.clone()).await?;
        written.0.extend(record.events);
        written.1.extend(record.keys);
        store = crash(store).await;
        let recovered = recover(&*store).await?;
        let what = format!("the events after crash {}", number + 1);
        same(&what, &recovered.of(&log), &written.0)?;
        same("the keys", &recovered.keys(), &written.1)?;
    }
    Ok(())
}

/// Holds a record to be there whole, with its keys, or not at all, after these events.
pub(super) fn whole_or_not_there(
    recovered: &Recovered,
    before: &[StoredEvent],
    record: &Record,
) -> Kept {
    let found = recovered.of(&record.log);
    let has_it = found.len() > before.len();
    let mut expected = before.to_vec();
    if has_it {
        expected.extend(record.events.clone());
    }
    same(
        "the events, with or without the last record",
        &found,
        &expected,
    )?;
    for key in &record.keys {
        let has_key = recovered.keys().contains(key);
        same(
            "whether its key is there, as its events are",
            &has_key,
            &has_it,
        )?;
    }
    Ok(())
}

/// Holds a log to go on after these events, and to read so.
pub(super) async fn goes_on(store: &dyn Store, log: &LogId, found: &[StoredEvent]) -> Kept {
    let next = found.len() as u64 + 1;
    let entry = 2 * (next - 2) / 5 + 1;
    let later = record(log, run(log, next, entry, "later"));
    commit(store, later.clone()).await?;
    let expected = [found, &events_of(&[later])].concat();
    let (_, all) = read(store, log, ALL).await?;
    same("the numbers once it goes on", &seqs(&all), &seqs(&expected))?;
    same("the events once it goes on", &all, &expected)
}

/// Takes so many steps of a commit, and then drops it.
async fn give_up_after(
    steps: usize,
    committing: impl Future<Output = Result<(), StoreError>>,
) -> Kept {
    let mut committing = pin!(committing);
    for _ in 0..steps {
        if let Poll::Ready(committed) = poll_once(committing.as_mut()).await {
            return committed.map_err(|error| format!("a commit failed: {error}"));
        }
        yield_now().await;
    }
    Ok(())
}
