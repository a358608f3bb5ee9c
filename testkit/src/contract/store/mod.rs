//! The contract over a store: what a Runtime relies on, whatever it keeps its logs in.
//!
//! Each guarantee of the [`Store`] trait is a function that asks a fresh store and says in `Err`
//! what it did instead. [`check`] runs those of every store, [`check_durable`] also those of a
//! store that survives its process.

mod durable;
mod logs;
mod reading;
mod sample;

use std::sync::Arc;

use worker_runtime::Store;

pub use durable::{
    forgotten_logs_do_not_come_back, keys_come_back_with_their_records, keys_outlive_their_log,
    numbers_go_on_after_a_restart, records_come_back_in_order, what_was_read_is_read_again,
};
pub use logs::{
    a_record_is_all_there, a_record_of_keys_alone_changes_no_log, forgets_one_log_alone,
    keeps_logs_apart, keeps_what_is_committed, takes_many_logs_at_once,
};
pub use reading::{
    at_least_one_is_read, entries_are_those_of_the_events, max_bytes_bounds_a_page,
    max_items_bounds_a_page, nothing_is_read_past_the_end, reads_between_after_and_until,
    unknown_logs_read_as_empty,
};

/// What a guarantee comes to: what the store did instead, where it does not hold.
pub type Kept = Result<(), String>;

/// Holds every store to what every store guarantees.
///
/// `open` gives a fresh, empty store that keeps at least a thousand events of each log.
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
    macro_rules! hold {
        ($($guarantee:ident),+ $(,)?) => {$(
            if let Err(instead) = $guarantee(&*open().await).await {
                broken.push(format!("{}: {instead}", stringify!($guarantee)));
            }
        )+};
    }
    hold![
        keeps_what_is_committed,
        a_record_is_all_there,
        a_record_of_keys_alone_changes_no_log,
        keeps_logs_apart,
        takes_many_logs_at_once,
        forgets_one_log_alone,
        unknown_logs_read_as_empty,
        reads_between_after_and_until,
        nothing_is_read_past_the_end,
        max_items_bounds_a_page,
        max_bytes_bounds_a_page,
        at_least_one_is_read,
        entries_are_those_of_the_events,
    ];
    conclude(&broken);
}

/// Holds a store that survives its process to what such a store guarantees beside that.
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
    let mut broken = Vec::new();
    macro_rules! hold {
        ($($guarantee:ident),+ $(,)?) => {$(
            if let Err(instead) = $guarantee(open().await, &reopen).await {
                broken.push(format!("{}: {instead}", stringify!($guarantee)));
            }
        )+};
    }
    hold![
        records_come_back_in_order,
        keys_come_back_with_their_records,
        what_was_read_is_read_again,
        numbers_go_on_after_a_restart,
        forgotten_logs_do_not_come_back,
        keys_outlive_their_log,
    ];
    conclude(&broken);
}

fn conclude(broken: &[String]) {
    assert!(
        broken.is_empty(),
        "the store does not keep its guarantees:\n  {}",
        broken.join("\n  ")
    );
}
