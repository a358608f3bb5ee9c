//! Answers to commands, by their keys.

use std::sync::Arc;

use worker_runtime::Store;
use worker_runtime::store::{KeyRecord, Record};

use super::Kept;
use super::ledger::Ledger;
use super::recovered::recover;
use super::sample::{ALL, forget, key, keyed, log, read, record, records, run, same};

/// The keys that are asked for: all that any guarantee uses, and more.
const NUMBERS: std::ops::Range<u8> = 0..12;

/// The answer to a command is given again, byte for byte, whether or not the command changed
/// anything; there is none under any other key.
///
/// # Errors
/// What the store did instead.
pub async fn answers_what_was_committed(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    answered(store, "of a fresh store", &[]).await?;
    let begin = keyed(records(&log, 0).remove(0), &[1]);
    ledger.commit(store, begin).await?;
    answered(store, "once it is committed", &[1]).await?;
    let input = keyed(record(&log, run(&log, 2, 1, "once")), &[2, 3]);
    ledger.commit(store, input).await?;
    ledger
        .commit(store, keyed(record(&log, Vec::new()), &[4]))
        .await?;
    answered(store, "beside others", &[1, 2, 3, 4]).await
}

/// Answers stay when their log is dropped, and so do those of other logs: they have a time of
/// their own.
///
/// # Errors
/// What the store did instead.
pub async fn answers_outlive_their_log(store: &dyn Store) -> Kept {
    let (dropped, beside, ledger) = (log(0), log(1), Ledger::new());
    for (log, numbers) in [(&dropped, [1, 2]), (&beside, [3, 4])] {
        let begin = keyed(records(log, 0).remove(0), &numbers[..1]);
        ledger.commit(store, begin).await?;
        let alone = keyed(record(log, Vec::new()), &numbers[1..]);
        ledger.commit(store, alone).await?;
    }
    forget(store, &dropped).await?;
    answered(store, "once a log is dropped", &[1, 2, 3, 4]).await
}

/// Answers that were given before a time are dropped when that is told, those and no others, and
/// what is left is counted; whatever order they were committed in, and as often as it is told. A
/// key that is used anew has its new answer, and its new time.
///
/// # Errors
/// What the store did instead.
pub async fn answers_expire_when_told(store: &dyn Store) -> Kept {
    let ledger = Ledger::new();
    same("the answers of a fresh store", &expire(store, 9), &0)?;
    commit_out_of_order(&ledger, store).await?;
    same("answers that are left of six", &expire(store, 1), &6)?;
    answered(store, "before the first expires", &[1, 2, 3, 4, 5, 6]).await?;
    for time in [3, 3, 2] {
        same("answers that are left of six", &expire(store, time), &4)?;
        answered(store, "once two have expired", &[3, 4, 5, 6]).await?;
    }
    // Under the key of one that is there, as when a clock was set back, or it is too old to count.
    let anew = Record {
        keys: vec![again(4, 9)],
        ..record(&log(0), Vec::new())
    };
    ledger.commit(store, anew).await?;
    same("answers once one is given anew", &expire(store, 6), &2)?;
    let found = store.answer(&key(4).key).await;
    let found = found.map_err(|error| format!("an answer could not be read: {error}"))?;
    same("the answer that is given anew", &found, &Some(again(4, 9)))?;
    same("answers that are left of two", &expire(store, 9), &1)?;
    same("answers that are left of one", &expire(store, 10), &0)?;
    answered(store, "once all have expired", &[]).await?;
    // Nothing else went with them.
    let (_, found) = read(store, &log(0), ALL).await?;
    same("the events", &found.len(), &6)
}

/// After a restart answers expire as before it.
///
/// # Errors
/// What the store did instead.
pub async fn answers_expire_after_a_restart<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    commit_out_of_order(&Ledger::new(), &*store).await?;
    same("answers that are left of six", &expire(&*store, 2), &5)?;
    let mut store = store;
    for (time, left) in [(3, &[3, 4, 5, 6][..]), (5, &[5, 6])] {
        store = reopen(store).await;
        recover(&*store).await?;
        // What was dropped before may be there until this.
        let count = left.len() as u64;
        same("answers that are left", &expire(&*store, time), &count)?;
        answered(&*store, "once others have expired", left).await?;
    }
    Ok(())
}

/// Answers stay though the events that they were committed with are given up: they have a time of
/// their own.
///
/// # Errors
/// What the store did instead.
pub async fn answers_outlive_their_events(store: &dyn Store) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    let records = records(&log, 200);
    for (number, record) in (1..).zip(records.iter().take(3)) {
        let record = keyed(record.clone(), &[number]);
        ledger.commit(store, record).await?;
    }
    for record in &records[3..] {
        ledger.commit(store, record.clone()).await?;
    }
    answered(store, "once its events are given up", &[1, 2, 3]).await
}

/// Six answers, in another order than that of their times.
async fn commit_out_of_order(ledger: &Ledger, store: &dyn Store) -> Kept {
    let log = log(0);
    ledger
        .commit(store, keyed(records(&log, 0).remove(0), &[3]))
        .await?;
    ledger
        .commit(store, keyed(record(&log, run(&log, 2, 1, "once")), &[1, 6]))
        .await?;
    for number in [5, 2, 4] {
        let alone = keyed(record(&log, Vec::new()), &[number]);
        ledger.commit(store, alone).await?;
    }
    Ok(())
}

/// Drops the answers that were given before the one of this number.
fn expire(store: &dyn Store, number: u8) -> u64 {
    store.expire_answers(key(number).at)
}

/// Another answer under the key of a number, given when that of `time` was.
fn again(number: u8, time: u8) -> KeyRecord {
    KeyRecord {
        key: key(number).key,
        ..key(time)
    }
}

/// Holds the answers under these keys to be there as they were given, and no others.
pub(super) async fn answered(store: &dyn Store, when: &str, numbers: &[u8]) -> Kept {
    for number in NUMBERS {
        let found = store.answer(&key(number).key).await;
        let found = found.map_err(|error| format!("an answer could not be read: {error}"))?;
        let expected = numbers.contains(&number).then(|| key(number));
        let what = format!("the answer under key {number} {when}");
        same(&what, &found, &expected)?;
    }
    Ok(())
}
