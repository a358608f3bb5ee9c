//! A store that cannot tell what it kept.

use std::sync::Arc;

use worker_runtime::store::Record;
use worker_runtime::{Store, StoreError};
use yoi_protocol::Effect;

use super::Kept;
use super::crash::{goes_on, whole_or_not_there};
use super::logs::pathless;
use super::recovered::recover;
use super::sample::{
    ALL, commit, events_of, fill, keyed, log, read, read_entries, record, records, run, same,
};

/// The error of a commit that must fail with this effect.
async fn fails(store: &dyn Store, record: Record, effect: Effect) -> Result<StoreError, String> {
    match store.commit(record).await {
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

/// After an error that leaves open what was kept, no more records are taken, of whichever log,
/// with or without events; each is refused with effect `none`. Reads go on.
///
/// # Errors
/// What the store did instead.
pub async fn takes_no_more_once_it_is_uncertain<S: Store + 'static>(
    store: Arc<S>,
    fail: impl Fn(&S),
    _reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (failed, beside) = (log(0), log(1));
    let written = fill(&*store, &failed, 1).await?;
    let other = fill(&*store, &beside, 1).await?;
    fail(&store);
    let lost = record(&failed, run(&failed, 7, 3, "lost"));
    fails(&*store, lost.clone(), Effect::Unknown).await?;
    for more in [
        lost,
        record(&failed, run(&failed, 12, 5, "after it")),
        record(&beside, run(&beside, 7, 3, "beside it")),
        keyed(record(&beside, Vec::new()), &[1]),
        records(&log(2), 0).remove(0),
    ] {
        fails(&*store, more, Effect::None).await?;
    }
    let (_, found) = read(&*store, &beside, ALL).await?;
    same("the events of another log", &found, &other)?;
    let (_, found) = read(&*store, &failed, ALL).await?;
    let found = found.get(..written.len()).unwrap_or(&found);
    same(
        "the events that were acknowledged",
        &found,
        &written.as_slice(),
    )?;
    let (first, _) = read_entries(&*store, &failed, ALL).await?;
    same("first_sequence", &first, &1)
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
    let (failed, beside) = (log(0), log(1));
    let mut written = fill(&*store, &failed, 0).await?;
    let acknowledged = keyed(record(&failed, run(&failed, 2, 1, "kept")), &[1]);
    commit(&*store, acknowledged.clone()).await?;
    written.extend(acknowledged.events);
    let other = fill(&*store, &beside, 1).await?;
    fail(&store);
    let open = keyed(record(&failed, run(&failed, 7, 3, "who knows")), &[2, 3]);
    fails(&*store, open.clone(), Effect::Unknown).await?;
    let refused = keyed(record(&beside, run(&beside, 7, 3, "refused")), &[4]);
    fails(&*store, refused, Effect::None).await?;

    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    whole_or_not_there(&recovered, &written, &open)?;
    same("the events of another log", &recovered.of(&beside), &other)?;
    let keys: Vec<u8> = recovered.keys().iter().map(|key| key.key[0]).collect();
    let expected: &[u8] = match recovered.of(&failed).len() > written.len() {
        true => &[1, 2, 3],
        false => &[1],
    };
    same("the keys", &keys.as_slice(), &expected)?;
    for log in [&failed, &beside] {
        goes_on(&*next, log, &recovered.of(log)).await?;
    }
    // And what is found once is found again.
    let again = recover(&*reopen(next).await).await?;
    let before = events_of(&recovered.records);
    let kept = again.of(&failed);
    let found = kept.get(..recovered.of(&failed).len()).unwrap_or(&kept);
    same(
        "what is found the next time",
        &found,
        &recovered.of(&failed).as_slice(),
    )?;
    same(
        "each log went on",
        &(events_of(&again.records).len() - before.len()),
        &10,
    )
}
