//! What is left when nothing was ended in order.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::yield_now;
use worker_runtime::store::{LogId, Record, StoredEvent};
use worker_runtime::{Store, StoreError};

use super::Kept;
use super::answers::answered;
use super::ledger::{Ledger, commit, fold};
use super::meanwhile::poll_once;
use super::recovered::{Recovered, recover};
use super::sample::{ALL, keyed, log, read, record, records, run, same, seqs};

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
    let mut kept = Vec::new();
    for steps in 0..STEPS {
        let (log, ledger) = (log(steps as u128), Ledger::new());
        let mut events = ledger.fill(&*store, &log, 1).await?;
        let given_up = keyed(record(&log, run(&log, 7, 3, "given up")), &[steps as u8]);
        let after = ledger.after(&given_up)?;
        give_up_after(steps, store.commit(given_up.clone(), after)).await?;
        // One log is written in order, so what becomes of the record is known once this is taken.
        let (_, found) = read(&*store, &log, ALL).await?;
        commit(&*store, record(&log, Vec::new()), fold(&found)?).await?;
        let (_, found) = read(&*store, &log, ALL).await?;
        if found.len() > events.len() {
            events.extend(given_up.events);
            kept.push(steps as u8);
        }
        let what = format!("the events after a commit given up at step {steps}");
        same(&what, &found, &events)?;
        events = goes_on(&*store, &log, &events).await?;
        written.push((log, events));
    }
    let when = "of a commit given up at that step";
    answered(&*store, when, &kept).await?;
    let next = crash(store).await;
    let recovered = recover(&*next).await?;
    for (steps, (log, events)) in written.iter().enumerate() {
        let there = recovered.has(&*next, log, events).await;
        there.map_err(|error| format!("a commit was given up at step {steps}: {error}"))?;
    }
    answered(&*next, when, &kept).await
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
        let (log, ledger) = (log(steps as u128), Ledger::new());
        let before = ledger.fill(&*store, &log, 1).await?;
        let cut = keyed(record(&log, run(&log, 7, 3, "cut")), &[steps as u8]);
        let after = ledger.after(&cut)?;
        give_up_after(steps, store.commit(cut.clone(), after)).await?;
        let next = crash(store).await;
        let recovered = recover(&*next).await?;
        let found = whole_or_not_there(&*next, &recovered, &before, &cut).await?;
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
    let (log, ledger) = (log(0), Ledger::new());
    let (mut events, mut numbers) = (Vec::new(), Vec::new());
    for (number, record) in (1..).zip(records(&log, 5)) {
        let record = keyed(record, &[number]);
        ledger.commit(&*store, record.clone()).await?;
        events.extend(record.events);
        numbers.push(number);
        store = crash(store).await;
        let recovered = recover(&*store).await?;
        let there = recovered.has(&*store, &log, &events).await;
        there.map_err(|error| format!("after crash {number}: {error}"))?;
        answered(&*store, &format!("after crash {number}"), &numbers).await?;
    }
    Ok(())
}

/// Holds a record to be there whole, with its keys, or not at all, after these events; gives all
/// that are there.
pub(super) async fn whole_or_not_there(
    store: &dyn Store,
    recovered: &Recovered,
    before: &[StoredEvent],
    record: &Record,
) -> Result<Vec<StoredEvent>, String> {
    let (_, found) = read(store, &record.log, ALL).await?;
    let has_it = found.len() > before.len();
    let mut expected = before.to_vec();
    if has_it {
        expected.extend(record.events.clone());
    }
    let there = recovered.has(store, &record.log, &expected).await;
    there.map_err(|error| format!("with or without the last record: {error}"))?;
    for key in &record.keys {
        let answer = store.answer(&key.key).await;
        let answer = answer.map_err(|error| format!("an answer could not be read: {error}"))?;
        let expected = has_it.then(|| key.clone());
        let what = "the answer that is there as the events of its record are";
        same(what, &answer, &expected)?;
    }
    Ok(found)
}

/// Holds a log to go on after these events, and to read so; gives all that are there then.
pub(super) async fn goes_on(
    store: &dyn Store,
    log: &LogId,
    found: &[StoredEvent],
) -> Result<Vec<StoredEvent>, String> {
    let next = found.len() as u64 + 1;
    let entry = 2 * (next - 2) / 5 + 1;
    let later = record(log, run(log, next, entry, "later"));
    let expected = [found, &later.events].concat();
    commit(store, later, fold(&expected)?).await?;
    let (_, all) = read(store, log, ALL).await?;
    same("the numbers once it goes on", &seqs(&all), &seqs(&expected))?;
    same("the events once it goes on", &all, &expected)?;
    Ok(all)
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
