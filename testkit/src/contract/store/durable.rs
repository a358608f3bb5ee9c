//! What the next process finds.

use std::sync::Arc;

use worker_runtime::Store;
use worker_runtime::store::Record;
use yoi_protocol::Event;

use super::Kept;
use super::kinds::whole_log;
use super::logs::{pathless, says_no_path, says_no_path_now};
use super::recovered::recover;
use super::sample::{
    ALL, commit, events_of, fill, forget, from, key, keyed, log, log_of, read, read_entries,
    record, records, run, same, seqs,
};

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
        let what = "the events of a log that came back";
        same(what, &recovered.of(log), &events_of(&written))?;
    }
    Ok(())
}

/// Events of every kind come back as they were, and are read so.
///
/// # Errors
/// What the store did instead.
pub async fn every_kind_of_event_comes_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    let written = whole_log(&log);
    for record in written.clone() {
        commit(&*store, record).await?;
    }
    let next = reopen(store).await;
    let recovered = recover(&*next).await?.of(&log);
    let (_, found) = read(&*next, &log, ALL).await?;
    let written = events_of(&written);
    same(
        "the events that came back",
        &seqs(&recovered),
        &seqs(&written),
    )?;
    same("the events that are read", &seqs(&found), &seqs(&written))?;
    for ((recovered, found), written) in recovered.iter().zip(&found).zip(&written) {
        let what = format!("event {} ({})", written.seq, written.event.type_name());
        same(&what, recovered, written)?;
        same(&format!("{what} as read"), found, written)?;
    }
    Ok(())
}

/// The first event of each log that comes back is a snapshot, and the others follow it without a
/// hole.
///
/// # Errors
/// What the store did instead.
pub async fn logs_begin_with_a_snapshot<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    for number in 0..3 {
        fill(&*store, &log(number), 40 * number as u64).await?;
    }
    let recovered = recover(&*reopen(store).await).await?;
    same("the logs that came back", &recovered.events.len(), &3)?;
    for events in recovered.events.values() {
        let Some((first, last)) = events.first().zip(events.last()) else {
            continue;
        };
        let is_snapshot = matches!(first.event, Event::Snapshot { .. });
        same("the first event is a snapshot", &is_snapshot, &true)
            .map_err(|error| format!("{error}: it is {}", first.event.type_name()))?;
        let dense: Vec<u64> = (first.seq..=last.seq).collect();
        same("the events that follow it", &seqs(events), &dense)?;
    }
    Ok(())
}

/// The answers to remember come back, each in one record with the events that it came with, and
/// also those of commands that changed nothing.
///
/// # Errors
/// What the store did instead.
pub async fn keys_come_back_with_their_records<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    let mut begin = records(&log, 0).remove(0);
    begin = keyed(begin, &[1]);
    let input = keyed(record(&log, run(&log, 2, 1, "once")), &[2, 3]);
    let alone = keyed(record(&log, Vec::new()), &[4]);
    let written = [begin, input, alone];
    for record in written.clone() {
        commit(&*store, record).await?;
    }
    let recovered = recover(&*reopen(store).await).await?;
    let all = [1, 2, 3, 4].map(key).to_vec();
    same("the keys that came back", &recovered.keys(), &all)?;
    for record in written {
        let is_it = |found: &&Record| found.keys.iter().any(|key| record.keys.contains(key));
        let found: Vec<&Record> = recovered.records.iter().filter(is_it).collect();
        same(
            "a record that came back with its keys",
            &found,
            &vec![&record],
        )?;
    }
    Ok(())
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
    commit(&*second, record(&log, run(&log, 7, 3, "later"))).await?;
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

/// A log that was dropped stays dropped, and its neighbour and the next life of its Worker come
/// back.
///
/// # Errors
/// What the store did instead.
pub async fn forgotten_logs_do_not_come_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (dropped, kept, next_life) = (log(0), log_of("w-2", 0), log(1));
    fill(&*store, &dropped, 1).await?;
    let beside = fill(&*store, &kept, 1).await?;
    forget(&*store, &dropped).await?;
    let anew = fill(&*store, &next_life, 2).await?;
    let mut store = store;
    for _ in 0..2 {
        store = reopen(store).await;
        let recovered = recover(&*store).await?;
        same("the dropped log", &recovered.of(&dropped), &Vec::new())?;
        same("the log beside it", &recovered.of(&kept), &beside)?;
        same("the next life", &recovered.of(&next_life), &anew)?;
        same("the logs that came back", &recovered.events.len(), &2)?;
        let (_, found) = read(&*store, &dropped, ALL).await?;
        same("the events of the dropped log", &seqs(&found), &Vec::new())?;
    }
    Ok(())
}

/// The answers to remember outlive a log that was dropped, byte for byte: they have a time of
/// their own.
///
/// # Errors
/// What the store did instead.
pub async fn keys_outlive_their_log<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (log, later) = (log(0), log(1));
    fill(&*store, &log, 0).await?;
    commit(&*store, keyed(record(&log, run(&log, 2, 1, "once")), &[1])).await?;
    commit(&*store, keyed(record(&log, Vec::new()), &[2])).await?;
    forget(&*store, &log).await?;
    let mut store = store;
    for _ in 0..2 {
        store = reopen(store).await;
        let recovered = recover(&*store).await?;
        let keys = [1, 2].map(key).to_vec();
        same("the keys that came back", &recovered.keys(), &keys)?;
        same("the dropped log", &recovered.of(&log), &Vec::new())?;
    }
    // They also last when they are dropped by another process than the one that took them.
    let begin = records(&later, 0).remove(0);
    commit(&*store, keyed(begin, &[3])).await?;
    let store = reopen(store).await;
    recover(&*store).await?;
    forget(&*store, &later).await?;
    let recovered = recover(&*reopen(store).await).await?;
    let keys = [1, 2, 3].map(key).to_vec();
    same("the keys of logs dropped later", &recovered.keys(), &keys)?;
    same("the logs", &recovered.events.len(), &0)
}

/// What a store says of itself after a restart, as of what it found, has no path in it either.
///
/// # Errors
/// What the store said instead.
pub async fn says_no_path_after_a_restart<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    says_no_path(&*store).await?;
    let next = reopen(store).await;
    if let Err(error) = next.recover(&mut |_| {}).await {
        pathless(&error.to_string())?;
        return Err(format!("recover failed: {error}"));
    }
    says_no_path_now(&*next)
}

/// What a store keeps that gives up its oldest events begins with a snapshot when it comes back and
/// reaches to the last without a hole; and what is read from `first_seq` on is what was written.
///
/// # Errors
/// What the store did instead.
pub async fn bounded_logs_come_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let log = log(0);
    let written = fill(&*store, &log, 200).await?;
    let next = reopen(store).await;
    let recovered = recover(&*next).await?.of(&log);
    let first = recovered.first().map(|first| first.event.type_name());
    same("the first event that came back", &first, &Some("snapshot"))?;
    let last = recovered.last().map(|event| event.seq);
    same("the last event that came back", &last, &Some(1_001))?;
    let dense: Vec<u64> = (1_002 - recovered.len() as u64..=1_001).collect();
    same("the events that came back", &seqs(&recovered), &dense)?;
    let (first, found) = read(&*next, &log, ALL).await?;
    let kept = from(&written, first);
    same("the events from first_seq on", &found.as_slice(), &kept)
}
