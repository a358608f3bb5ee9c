//! The contract over a store: what a Runtime relies on, whatever it keeps its logs in.
//!
//! Each guarantee of the [`Store`] trait is a function that asks a store and says in `Err` what it
//! did instead. It wants an empty store whose `recover` was called, as a Runtime does before
//! anything else. These run them all:
//!
//! - [`check`]: every store.
//! - [`check_bounded`]: one that gives up the oldest events of a log.
//! - [`check_durable`]: one that survives its process, and [`check_durable_bounded`] both.
//! - [`check_crash`]: the same when the process is killed.
//! - [`check_uncertain`]: a write of which nobody can tell whether it lasts.

mod answers;
mod crash;
mod durable;
mod kinds;
mod ledger;
mod logs;
mod meanwhile;
mod reading;
mod recovered;
mod retention;
mod sample;
mod uncertain;

use std::sync::Arc;

use worker_runtime::Store;

pub use answers::{
    answers_expire_after_a_restart, answers_expire_when_told, answers_outlive_their_events,
    answers_outlive_their_log, answers_what_was_committed,
};
pub use crash::{
    a_commit_cut_by_the_end_is_whole_or_not_there, a_commit_given_up_is_whole_or_not_there,
    what_was_acknowledged_is_there,
};
pub use durable::{
    a_sound_store_says_so_after_a_restart, bounded_logs_come_back, every_kind_of_event_comes_back,
    forgotten_logs_do_not_come_back, keys_come_back_with_their_records, keys_outlive_their_log,
    logs_begin_with_a_snapshot, numbers_go_on_after_a_restart, records_come_back_in_order,
    says_no_path_after_a_restart, what_was_read_is_read_again,
};
pub use logs::{
    a_record_is_all_there, a_record_of_keys_alone_changes_no_log, a_sound_store_says_so,
    forgets_one_log_alone, keeps_every_kind_of_event, keeps_logs_apart, keeps_what_is_committed,
    says_no_path,
};
pub use meanwhile::{
    forgets_while_others_are_written, pages_join_while_a_log_grows, reads_see_records_whole,
    takes_many_logs_at_once,
};
pub use reading::{
    at_least_one_is_read, entries_are_those_of_the_events, max_bytes_bounds_a_page,
    max_items_bounds_a_page, nothing_is_read_past_the_end, reads_between_after_and_until,
    unknown_logs_read_as_empty,
};
pub use recovered::a_fresh_store_recovers_nothing;
pub use retention::{
    an_empty_transcript_begins_after_the_last, gives_up_only_the_oldest,
    gives_up_only_the_oldest_entries, reads_before_the_first_begin_there,
};
pub use uncertain::{takes_no_more_once_it_is_uncertain, what_is_uncertain_is_whole_or_not_there};

/// What a guarantee comes to: what the store did instead, where it does not hold.
pub type Kept = Result<(), String>;

/// Runs each guarantee on a store of its own that has recovered, and collects what broke.
macro_rules! hold {
    ($broken:ident, $open:ident, [$($guarantee:ident),+ $(,)?], $more:tt) => {$(
        let store = $open().await;
        let kept = match recovered::recover(&*store).await {
            // Boxed, so that a check of many is not as large as all of them.
            Ok(_) => Box::pin(hold!(@ $guarantee, store, $more)).await,
            Err(instead) => Err(instead),
        };
        if let Err(instead) = kept {
            $broken.push(format!("{}: {instead}", stringify!($guarantee)));
        }
    )+};
    (@ $guarantee:ident, $store:ident, ()) => { $guarantee(&*$store) };
    (@ $guarantee:ident, $store:ident, ($($more:expr),+)) => { $guarantee($store, $($more),+) };
}

/// Holds every store to what every store guarantees.
///
/// `open` gives a fresh, empty store that keeps at least a thousand events and half a megabyte of
/// each log.
///
/// # Panics
/// With every guarantee that does not hold.
///
/// ```
/// use std::sync::Arc;
///
/// use worker_runtime::{MemoryStore, Store};
/// use yoi_testkit::contract::store;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// store::check(async || Arc::new(MemoryStore::new(1_000, 1 << 20)) as Arc<dyn Store>).await;
/// # }
/// ```
pub async fn check(open: impl AsyncFn() -> Arc<dyn Store>) {
    let mut broken = Vec::new();
    if let Err(instead) = a_fresh_store_recovers_nothing(&*open().await).await {
        broken.push(format!("a_fresh_store_recovers_nothing: {instead}"));
    }
    hold!(
        broken,
        open,
        [
            keeps_what_is_committed,
            keeps_every_kind_of_event,
            a_record_is_all_there,
            a_record_of_keys_alone_changes_no_log,
            keeps_logs_apart,
            forgets_one_log_alone,
            says_no_path,
            answers_what_was_committed,
            answers_outlive_their_log,
            answers_expire_when_told,
            a_sound_store_says_so,
            takes_many_logs_at_once,
            reads_see_records_whole,
            pages_join_while_a_log_grows,
            forgets_while_others_are_written,
            unknown_logs_read_as_empty,
            reads_between_after_and_until,
            nothing_is_read_past_the_end,
            max_items_bounds_a_page,
            max_bytes_bounds_a_page,
            at_least_one_is_read,
            entries_are_those_of_the_events,
        ],
        ()
    );
    conclude(&broken);
}

/// Holds a store that gives up the oldest events of a log to what such a store guarantees.
///
/// `open` gives a fresh, empty store that does not keep all of a thousand events of a log.
///
/// # Panics
/// With every guarantee that does not hold.
///
/// ```
/// use std::sync::Arc;
///
/// use worker_runtime::{MemoryStore, Store};
/// use yoi_testkit::contract::store;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// store::check_bounded(async || Arc::new(MemoryStore::new(9, 1 << 20)) as Arc<dyn Store>).await;
/// # }
/// ```
pub async fn check_bounded(open: impl AsyncFn() -> Arc<dyn Store>) {
    let mut broken = Vec::new();
    hold!(
        broken,
        open,
        [
            gives_up_only_the_oldest,
            reads_before_the_first_begin_there,
            gives_up_only_the_oldest_entries,
            an_empty_transcript_begins_after_the_last,
            answers_outlive_their_events,
        ],
        ()
    );
    conclude(&broken);
}

/// Holds a store that survives its process to what such a store guarantees beside what [`check`]
/// asks.
///
/// `reopen` gives what the next process finds in place of this store, before its `recover`.
///
/// # Panics
/// With every guarantee that does not hold.
///
/// ```
/// use yoi_testkit::TestStore;
/// use yoi_testkit::contract::store;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// store::check_durable(
///     async || TestStore::new(),
///     async |store| store.reopened(),
/// )
/// .await;
/// # }
/// ```
pub async fn check_durable<S: Store + 'static>(
    open: impl AsyncFn() -> Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) {
    check(async || open().await as Arc<dyn Store>).await;
    conclude(&reopens(&open, &reopen).await);
}

/// Holds a store that survives its process and gives up the oldest events of a log to both:
/// [`check_bounded`], and what such a store finds of a log whose begin is gone.
///
/// # Panics
/// With every guarantee that does not hold.
pub async fn check_durable_bounded<S: Store + 'static>(
    open: impl AsyncFn() -> Arc<S>,
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) {
    check_bounded(async || open().await as Arc<dyn Store>).await;
    let mut broken = Vec::new();
    hold!(broken, open, [bounded_logs_come_back], (&reopen));
    conclude(&broken);
}

/// Holds a store that survives its process to do so also when that is killed: to all that
/// [`check_durable`] finds after a restart, and to commits that were never finished.
///
/// `crash` ends the store as a kill would and gives what the next process finds, before its
/// `recover`: nothing is closed, written or told on the way. The store it is given may have a
/// commit that nobody waits for any more. Best it leaves that store alone, and opens a copy of
/// what is on the disk at that moment; where the store has a lock, as the next process would find
/// it.
///
/// # Panics
/// With every guarantee that does not hold.
pub async fn check_crash<S: Store + 'static>(
    open: impl AsyncFn() -> Arc<S>,
    crash: impl AsyncFn(Arc<S>) -> Arc<S>,
) {
    let mut broken = reopens(&open, &crash).await;
    hold!(
        broken,
        open,
        [
            what_was_acknowledged_is_there,
            a_commit_given_up_is_whole_or_not_there,
            a_commit_cut_by_the_end_is_whole_or_not_there,
        ],
        (&crash)
    );
    conclude(&broken);
}

/// Holds a store to what it does once it cannot tell what it kept.
///
/// `fail` makes the next commit fail with [`StoreError::Uncertain`], whether or not it keeps the
/// record: as a disk whose fsync fails. Ask with each of the two that can be had. `reopen` gives
/// what the next process finds, as for [`check_durable`].
///
/// [`StoreError::Uncertain`]: worker_runtime::StoreError::Uncertain
///
/// # Panics
/// With every guarantee that does not hold.
///
/// ```
/// use yoi_testkit::TestStore;
/// use yoi_testkit::contract::store;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// store::check_uncertain(
///     async || TestStore::new(),
///     |store| store.fail_once_but_keep("the fsync failed"),
///     async |store| store.reopened(),
/// )
/// .await;
/// # }
/// ```
pub async fn check_uncertain<S: Store + 'static>(
    open: impl AsyncFn() -> Arc<S>,
    fail: impl Fn(&S),
    reopen: impl AsyncFn(Arc<S>) -> Arc<S>,
) {
    let mut broken = Vec::new();
    hold!(
        broken,
        open,
        [
            takes_no_more_once_it_is_uncertain,
            what_is_uncertain_is_whole_or_not_there,
        ],
        (&fail, &reopen)
    );
    conclude(&broken);
}

/// What the next process does not find, of what it should.
async fn reopens<S: Store + 'static>(
    open: &impl AsyncFn() -> Arc<S>,
    reopen: &impl AsyncFn(Arc<S>) -> Arc<S>,
) -> Vec<String> {
    let mut broken = Vec::new();
    hold!(
        broken,
        open,
        [
            records_come_back_in_order,
            every_kind_of_event_comes_back,
            logs_begin_with_a_snapshot,
            keys_come_back_with_their_records,
            what_was_read_is_read_again,
            numbers_go_on_after_a_restart,
            forgotten_logs_do_not_come_back,
            keys_outlive_their_log,
            answers_expire_after_a_restart,
            a_sound_store_says_so_after_a_restart,
            says_no_path_after_a_restart,
        ],
        (reopen)
    );
    broken
}

fn conclude(broken: &[String]) {
    assert!(
        broken.is_empty(),
        "the store does not keep its guarantees:\n  {}",
        broken.join("\n  ")
    );
}
