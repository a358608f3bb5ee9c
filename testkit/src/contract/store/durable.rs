//! What the next process finds.

use std::sync::Arc;

use worker_runtime::Store;
use yoi_protocol::Event;

use super::Kept;
use super::answers::answered;
use super::kinds::whole_logs;
use super::ledger::Ledger;
use super::logs::{pathless, says_no_path, says_no_path_now, sound};
use super::recovered::recover;
use super::sample::{
    ALL, events_of, forget, from, keyed, log, log_of, read, read_entries, record, records, run,
    same, seqs,
};

/// Every record that was acknowledged comes back, those of one log in their order: each log adds up
/// to what its events do, and they are read.
///
/// # Errors
/// What the store did instead.
pub async fn records_come_back_in_order<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (logs, ledger) = ([log(0), log_of("w-2", 1)], Ledger::new());
    let [one, other] = logs.each_ref().map(|log| records(log, 3));
    for (one, other) in one.iter().zip(&other) {
        ledger.commit(&*store, one.clone()).await?;
        ledger.commit(&*store, other.clone()).await?;
    }
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    same("the logs that came back", &recovered.logs(), &2)?;
    for (log, written) in logs.iter().zip([one, other]) {
        recovered.has(&*next, log, &events_of(&written)).await?;
    }
    Ok(())
}

/// Events of every kind come back as they were, and add up to what they did.
///
/// # Errors
/// What the store did instead.
pub async fn every_kind_of_event_comes_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let ledger = Ledger::new();
    for (_, written) in whole_logs() {
        for record in written {
            ledger.commit(&*store, record).await?;
        }
    }
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    for (log, written) in whole_logs() {
        let written = events_of(&written);
        let (_, found) = read(&*next, &log, ALL).await?;
        same("the events that are read", &seqs(&found), &seqs(&written))?;
        for (found, written) in found.iter().zip(&written) {
            let what = format!("event {} ({})", written.seq, written.event.type_name());
            same(&what, found, written)?;
        }
        recovered.has(&*next, &log, &written).await?;
    }
    Ok(())
}

/// The first event of each log that comes back is a snapshot, and the others follow it without a
/// hole; however long it is, it adds up to what was written.
///
/// # Errors
/// What the store did instead.
pub async fn logs_begin_with_a_snapshot<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let ledger = Ledger::new();
    let mut logs = Vec::new();
    for number in 0..3 {
        let log = log(number);
        let written = ledger.fill(&*store, &log, 40 * number as u64).await?;
        logs.push((log, written));
    }
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    same("the logs that came back", &recovered.logs(), &3)?;
    for (log, written) in logs {
        let (_, events) = read(&*next, &log, ALL).await?;
        let first = events.first().map(|first| &first.event);
        let is_snapshot = matches!(first, Some(Event::Snapshot { .. }));
        same("the first event is a snapshot", &is_snapshot, &true)
            .map_err(|error| format!("{error}: it is {:?}", first.map(Event::type_name)))?;
        let dense: Vec<u64> = (1..=written.len() as u64).collect();
        same("the events that follow it", &seqs(&events), &dense)?;
        recovered.adds_up(&log, &written)?;
    }
    Ok(())
}

/// The answers to remember come back as the events that they came with, and also those of commands
/// that changed nothing, which change nothing in their log.
///
/// # Errors
/// What the store did instead.
pub async fn keys_come_back_with_their_records<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    let mut begin = records(&log, 0).remove(0);
    begin = keyed(begin, &[1]);
    let input = keyed(record(&log, run(&log, 2, 1, "once")), &[2, 3]);
    let alone = keyed(record(&log, Vec::new()), &[4]);
    let written = [begin, input, alone];
    for record in written.clone() {
        ledger.commit(&*store, record).await?;
    }
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    answered(&*next, "after a restart", &[1, 2, 3, 4]).await?;
    same("the logs that came back", &recovered.logs(), &1)?;
    recovered.has(&*next, &log, &events_of(&written)).await
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
    Ledger::new().fill(&*store, &log, 3).await?;
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
    let (log, ledger) = (log(0), Ledger::new());
    let mut written = ledger.fill(&*store, &log, 1).await?;
    let second = reopen(store).await;
    recover(&*second).await?;
    let later = record(&log, run(&log, 7, 3, "later"));
    written.extend(later.events.clone());
    ledger.commit(&*second, later).await?;
    let (_, found) = read(&*second, &log, ALL).await?;
    same(
        "the events of both lives of the process",
        &seqs(&found),
        &seqs(&written),
    )?;
    let third = reopen(second).await;
    let recovered = recover(&*third).await?;
    let there = recovered.has(&*third, &log, &written).await;
    there.map_err(|error| format!("what the third one finds: {error}"))
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
    let ledger = Ledger::new();
    ledger.fill(&*store, &dropped, 1).await?;
    let beside = ledger.fill(&*store, &kept, 1).await?;
    forget(&*store, &dropped).await?;
    let anew = ledger.fill(&*store, &next_life, 2).await?;
    let mut store = store;
    for _ in 0..2 {
        store = reopen(store).await;
        let recovered = recover(&*store).await?;
        for (what, log, written) in [
            ("the dropped log", &dropped, &Vec::new()),
            ("the log beside it", &kept, &beside),
            ("the next life", &next_life, &anew),
        ] {
            let there = recovered.has(&*store, log, written).await;
            there.map_err(|error| format!("{what}: {error}"))?;
        }
        same("the logs that came back", &recovered.logs(), &2)?;
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
    let (log, later, ledger) = (log(0), log(1), Ledger::new());
    ledger.fill(&*store, &log, 0).await?;
    let input = keyed(record(&log, run(&log, 2, 1, "once")), &[1]);
    ledger.commit(&*store, input).await?;
    let alone = keyed(record(&log, Vec::new()), &[2]);
    ledger.commit(&*store, alone).await?;
    forget(&*store, &log).await?;
    let mut store = store;
    for _ in 0..2 {
        store = reopen(store).await;
        let recovered = recover(&*store).await?;
        answered(&*store, "once its log is dropped", &[1, 2]).await?;
        recovered.adds_up(&log, &[])?;
    }
    // They also last when they are dropped by another process than the one that took them.
    let begin = keyed(records(&later, 0).remove(0), &[3]);
    ledger.commit(&*store, begin).await?;
    let store = reopen(store).await;
    recover(&*store).await?;
    forget(&*store, &later).await?;
    let store = reopen(store).await;
    let recovered = recover(&*store).await?;
    answered(&*store, "once its log is dropped later", &[1, 2, 3]).await?;
    same("the logs", &recovered.logs(), &0)
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
    if let Err(error) = next.recover(&mut |_, _| {}).await {
        pathless(&error.to_string())?;
        return Err(format!("recover failed: {error}"));
    }
    says_no_path_now(&*next)
}

/// A store that found all that was kept says that it is sound.
///
/// # Errors
/// What the store said instead.
pub async fn a_sound_store_says_so_after_a_restart<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    ledger.fill(&*store, &log, 2).await?;
    let next = reopen(store).await;
    recover(&*next).await?;
    sound(&*next, "after a restart")?;
    read(&*next, &log, ALL).await?;
    let alone = keyed(record(&log, Vec::new()), &[1]);
    ledger.commit(&*next, alone).await?;
    sound(&*next, "once it goes on")
}

/// A log of which the oldest events are given up adds up to what all of them did when it comes
/// back, with the answers that it came with; and what is read from `first_seq` on is what was
/// written, to the last.
///
/// # Errors
/// What the store did instead.
pub async fn bounded_logs_come_back<S: Store + 'static>(
    store: Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Kept {
    let (log, ledger) = (log(0), Ledger::new());
    let written = records(&log, 200);
    for (number, record) in (1..).zip(&written) {
        let numbers: &[u8] = if number < 4 { &[number as u8] } else { &[] };
        let record = keyed(record.clone(), numbers);
        ledger.commit(&*store, record).await?;
    }
    let written = events_of(&written);
    let next = reopen(store).await;
    let recovered = recover(&*next).await?;
    recovered.adds_up(&log, &written)?;
    let (first, found) = read(&*next, &log, ALL).await?;
    let kept = from(&written, first);
    let dense: Vec<u64> = (first..=1_001).collect();
    same("the events that came back", &seqs(&found), &dense)?;
    same("the events from first_seq on", &found.as_slice(), &kept)?;
    answered(&*next, "whose events are given up", &[1, 2, 3]).await
}
