//! A store that cannot tell what it kept.

use std::sync::Arc;

use worker_runtime::store::Record;
use worker_runtime::{Condition, Store, StoreError, WorkerState};
use yoi_protocol::Effect;

use super::Kept;
use super::answers::answered;
use super::crash::{goes_on, whole_or_not_there};
use super::ledger::Ledger;
use super::logs::pathless;
use super::recovered::recover;
use super::sample::{ALL, keyed, log, read, read_entries, record, records, run, same};

/// The error of a commit that must fail with this effect.
async fn fails(
    store: &dyn Store,
    (record, after): (Record, Arc<WorkerState>),
    effect: Effect,
) -> Result<StoreError, String> {
    match store.commit(record, after).await {
        Ok(()) => Err(format!(
            "a commit that must fail with effect {effect:?} was taken"
        )),
        Err(error) => {
            same(
                "the effect of a commit that fails",
                &error.effect(),
                &effect,
            )?;
            pathless(&error.to_string())?;
            Ok(error)
        }
    }
}

/// Holds a store to say that it has failed.
fn failed(store: &dyn Store, when: &str) -> Kept {
    let what = format!("the condition {when}");
    same(&what, &store.condition(), &Condition::Failed)
}

/// After an error that leaves open what was kept, no more records are taken, of whichever log,
/// with or without events; each is refused with effect `none`. Reads go on, and the store says that
/// it has failed, from then on.
///
/// # Errors
/// What the store did instead.
pub async fn takes_no_more_once_it_is_uncertain<S: Store + 'static>(
    store: Arc<S>,
    fail: impl Fn(&S),
    _reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (failed_log, beside, ledger) = (log(0), log(1), Ledger::new());
    let written = ledger.fill(&*store, &failed_log, 1).await?;
    let other = ledger.fill(&*store, &beside, 1).await?;
    let alone = |number| keyed(record(&beside, Vec::new()), &[number]);
    ledger.commit(&*store, alone(1)).await?;
    fail(&store);
    let with = |record: Record| ledger.after(&record).map(|after| (record, after));
    let lost = with(record(&failed_log, run(&failed_log, 7, 3, "lost")))?;
    let besides = with(record(&beside, run(&beside, 7, 3, "beside it")))?;
    let alone = with(alone(2))?;
    let new = with(records(&log(2), 0).remove(0))?;
    // As if it had been taken: nobody knows.
    ledger.add(&lost.0)?;
    let later = with(record(&failed_log, run(&failed_log, 12, 5, "after it")))?;

    fails(&*store, lost.clone(), Effect::Unknown).await?;
    failed(&*store, "once it cannot tell what it kept")?;
    for more in [lost, later, besides, alone, new] {
        fails(&*store, more, Effect::None).await?;
        failed(&*store, "once it refuses more")?;
    }
    let (_, found) = read(&*store, &beside, ALL).await?;
    same("the events of another log", &found, &other)?;
    let (_, found) = read(&*store, &failed_log, ALL).await?;
    let found = found.get(..written.len()).unwrap_or(&found);
    same(
        "the events that were acknowledged",
        &found,
        &written.as_slice(),
    )?;
    let (first, _) = read_entries(&*store, &failed_log, ALL).await?;
    same("first_sequence", &first, &1)?;
    answered(&*store, "that was acknowledged, or refused", &[1]).await?;
    failed(&*store, "once it is read")
}

/// After reopening, a record that nobody could tell of is there whole, with its keys, or not at
/// all. What was acknowledged is there, what was refused is not, and each log goes on.
///
/// # Errors
/// What the store did instead.
pub async fn what_is_uncertain_is_whole_or_not_there<S: Store + 'static>(
    store: Arc<S>,
    fail: impl Fn(&S),
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (failed, beside, ledger) = (log(0), log(1), Ledger::new());
    let mut written = ledger.fill(&*store, &failed, 0).await?;
    let acknowledged = keyed(record(&failed, run(&failed, 2, 1, "kept")), &[1]);
    ledger.commit(&*store, acknowledged.clone()).await?;
    written.extend(acknowledged.events);
    let other = ledger.fill(&*store, &beside, 1).await?;
    fail(&store);
    let with = |record: Record| ledger.after(&record).map(|after| (record, after));
    let open = keyed(record(&failed, run(&failed, 7, 3, "who knows")), &[2, 3]);
    fails(&*store, with(open.clone())?, Effect::Unknown).await?;
    let refused = keyed(record(&beside, run(&beside, 7, 3, "refused")), &[4]);
    fails(&*store, with(refused)?, Effect::None).await?;

    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    let found = whole_or_not_there(&*next, &recovered, &written, &open).await?;
    let there = recovered.has(&*next, &beside, &other).await;
    there.map_err(|error| format!("another log: {error}"))?;
    let numbers: &[u8] = match found.len() > written.len() {
        true => &[1, 2, 3],
        false => &[1],
    };
    answered(&*next, "that was acknowledged, or not", numbers).await?;
    let found = goes_on(&*next, &failed, &found).await?;
    let other = goes_on(&*next, &beside, &other).await?;
    let has_failed = next.condition() == Condition::Failed;
    same(
        "whether one that takes more has failed",
        &has_failed,
        &false,
    )?;
    // And what is found once is found again.
    let third = reopen(next).await;
    let again = recover(&*third).await?;
    for (log, written) in [(&failed, &found), (&beside, &other)] {
        let there = again.has(&*third, log, written).await;
        there.map_err(|error| format!("what is found the next time: {error}"))?;
    }
    answered(&*third, "the next time", numbers).await
}
