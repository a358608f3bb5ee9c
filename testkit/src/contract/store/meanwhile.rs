//! Several things at once: commits to many logs, and reads while they run.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::task::yield_now;
use worker_runtime::Store;
use worker_runtime::store::{LogId, Range, StoredEvent};
use yoi_protocol::Entry;

use super::Kept;
use super::ledger::Ledger;
use super::sample::{
    ALL, entries_of, events_of, forget, log, log_of, read, read_entries, records, same, seqs,
};

/// How many runs the logs have that are written and read at once.
const RUNS: u64 = 20;

/// Records of different logs are taken at the same time, each log in its own order.
///
/// # Errors
/// What the store did instead.
pub async fn takes_many_logs_at_once(store: &dyn Store) -> Kept {
    let logs: [LogId; 8] =
        std::array::from_fn(|number| log_of(&format!("w-{}", number % 4), number as u128 / 4));
    let ledger = Ledger::new();
    let fill = |log| fill_politely(&ledger, store, log);
    let [a, b, c, d, e, f, g, h] = logs.each_ref().map(fill);
    let written = tokio::join!(a, b, c, d, e, f, g, h);
    let (a, b, c, d, e, f, g, h) = written;
    for (log, written) in logs.iter().zip([a?, b?, c?, d?, e?, f?, g?, h?]) {
        let (_, found) = read(store, log, ALL).await?;
        same("the events of one of eight logs", &found, &written)?;
        let (_, found) = read_entries(store, log, ALL).await?;
        same(
            "the entries of one of eight logs",
            &found,
            &entries_of(&written),
        )?;
    }
    Ok(())
}

/// Who reads while a record is committed sees all of its events or none, never a hole, and never
/// less than was acknowledged or seen before.
///
/// # Errors
/// What the store did instead.
pub async fn reads_see_records_whole(store: &dyn Store) -> Kept {
    let (log, beside, ledger) = (log(0), log(1), Ledger::new());
    ledger.fill(store, &beside, 2).await?;
    let whole = events_of(&records(&log, RUNS));
    let mut seen = 0;
    let look = async || -> Result<usize, String> {
        let (first, events) = read(store, &log, ALL).await?;
        same("first_seq meanwhile", &first, &1)?;
        let so_far = &whole[..events.len().min(whole.len())];
        same("the events meanwhile", &events.as_slice(), &so_far)?;
        // The begin, and five events for each run.
        let is_whole = events.is_empty() || events.len() % 5 == 1;
        same("a record is there whole", &is_whole, &true)
            .map_err(|error| format!("{error}: {:?} are", seqs(&events)))?;
        Ok(events.len())
    };
    for record in records(&log, RUNS) {
        let until = record.events.last().map_or(0, |event| event.seq as usize);
        let mut committing = pin!(ledger.commit(store, record));
        // A look between any two steps of the commit.
        loop {
            let step = poll_once(committing.as_mut()).await;
            let now = look().await?;
            same("what was seen is still there", &(now >= seen), &true)?;
            seen = now;
            match step {
                Poll::Pending => yield_now().await,
                Poll::Ready(committed) => {
                    committed?;
                    break;
                }
            }
        }
        same("what is there once it is committed", &seen, &until)?;
    }
    Ok(())
}

/// Who pages through a log that grows meanwhile gets each event and each entry once.
///
/// # Errors
/// What the store did instead.
pub async fn pages_join_while_a_log_grows(store: &dyn Store) -> Kept {
    let log = log(0);
    // Neither of the two leaves this task.
    let is_written = Cell::new(false);
    let writing = async {
        let written = fill_politely(&Ledger::new(), store, &log).await;
        is_written.set(true);
        written
    };
    let paging = async {
        let (mut events, mut entries) = (Vec::new(), Vec::new());
        loop {
            // Whatever is acknowledged by now is read before a page is empty.
            let is_last = is_written.get();
            let page = Range {
                max_items: 3,
                ..ALL
            };
            let after = events.last().map_or(0, |event: &StoredEvent| event.seq);
            let (_, more_events) = read(store, &log, Range { after, ..page }).await?;
            let after = entries.last().map_or(0, |entry: &Entry| entry.sequence);
            let (_, more_entries) = read_entries(store, &log, Range { after, ..page }).await?;
            let is_empty = more_events.is_empty() && more_entries.is_empty();
            if is_last && (is_empty || events.len() > 10 * RUNS as usize) {
                return Ok::<_, String>((events, entries));
            }
            events.extend(more_events);
            entries.extend(more_entries);
            yield_now().await;
        }
    };
    let (written, paged) = tokio::join!(writing, paging);
    let (written, (events, entries)) = (written?, paged?);
    same("the events by pages", &events, &written)?;
    same("the entries by pages", &entries, &entries_of(&written))
}

/// Logs are dropped while another one is written and read, and that one does not notice.
///
/// # Errors
/// What the store did instead.
pub async fn forgets_while_others_are_written(store: &dyn Store) -> Kept {
    let (written, beside) = (log(4), log_of("w-2", 4));
    let ledger = Ledger::new();
    let before = ledger.fill(store, &beside, 3).await?;
    let dropped: [LogId; 4] = std::array::from_fn(|number| log(number as u128));
    for log in &dropped {
        ledger.fill(store, log, 3).await?;
    }
    let forgetting = async {
        for log in &dropped {
            forget(store, log).await?;
            let (_, found) = read(store, &beside, ALL).await?;
            same("the log beside a dropped one", &found, &before)?;
            yield_now().await;
        }
        Ok::<_, String>(())
    };
    let (events, forgotten) = tokio::join!(fill_politely(&ledger, store, &written), forgetting);
    let events = events?;
    forgotten?;
    let (_, found) = read(store, &written, ALL).await?;
    same("the log that was written meanwhile", &found, &events)?;
    for log in &dropped {
        let (_, found) = read(store, log, ALL).await?;
        same("a dropped log", &seqs(&found), &Vec::new())?;
    }
    Ok(())
}

/// Fills a log with [`RUNS`] runs, and lets others do something in between.
async fn fill_politely(
    ledger: &Ledger,
    store: &dyn Store,
    log: &LogId,
) -> Result<Vec<StoredEvent>, String> {
    let records = records(log, RUNS);
    for record in records.clone() {
        ledger.commit(store, record).await?;
        yield_now().await;
    }
    Ok(events_of(&records))
}

/// One step of a future.
pub(super) async fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut future).poll(context))).await
}
