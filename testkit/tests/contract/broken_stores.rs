//! Stores that break one guarantee: each is caught, by the function of that guarantee.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use worker_runtime::store::{EntryPage, EventPage, LogId, Range, Record};
use worker_runtime::{MemoryStore, Store, StoreError};
use yoi_protocol::Diagnostic;
use yoi_testkit::TestStore;
use yoi_testkit::contract::store;

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    DropsTheLastEvent,
    SplitsARecord,
    RefusesKeysAlone,
    MixesLives,
    ForgetsNothing,
    ForgetsAll,
    NumbersUnknownLogsFromZero,
    TakesUntilForTheEnd,
    StartsOverPastTheEnd,
    IgnoresMaxItems,
    IgnoresMaxBytes,
    GivesNothingThatIsTooLarge,
    LosesEntries,
}

struct Broken {
    inner: MemoryStore,
    wrong: Wrong,
    /// The log that was committed to last.
    last: Mutex<Option<LogId>>,
}

impl Broken {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    /// Which log is read for this one.
    fn read(&self, log: &LogId) -> LogId {
        let last = self.last.lock().expect("no test panicked in it").clone();
        match last {
            Some(last) if self.is(Wrong::MixesLives) && last.worker_id == log.worker_id => last,
            _ => log.clone(),
        }
    }

    fn range(&self, mut range: Range) -> Range {
        match self.wrong {
            Wrong::TakesUntilForTheEnd => range.until = range.until.saturating_sub(1),
            Wrong::StartsOverPastTheEnd if range.after > 100 => range.after = 0,
            Wrong::IgnoresMaxItems => range.max_items = usize::MAX,
            Wrong::IgnoresMaxBytes => range.max_bytes = u64::MAX,
            _ => {}
        }
        range
    }
}

#[async_trait]
impl Store for Broken {
    fn kind(&self) -> &'static str {
        "broken"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn recover(&self, _take: &mut (dyn FnMut(Record) + Send)) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(&self, mut record: Record) -> Result<(), StoreError> {
        *self.last.lock().expect("no test panicked in it") = Some(record.log.clone());
        match self.wrong {
            Wrong::DropsTheLastEvent if record.events.len() > 1 => {
                record.events.pop();
            }
            Wrong::SplitsARecord => record.events.truncate(1),
            Wrong::RefusesKeysAlone if record.events.is_empty() => {
                return Err(StoreError::Refused("nothing to write"));
            }
            _ => {}
        }
        self.inner.commit(record).await
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        let mut page = self
            .inner
            .events(&self.read(log), self.range(range))
            .await?;
        if page.events.is_empty() && self.is(Wrong::NumbersUnknownLogsFromZero) {
            page.first_seq = 0;
        }
        if range.max_bytes < 100 && self.is(Wrong::GivesNothingThatIsTooLarge) {
            page.events.clear();
        }
        Ok(page)
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        let mut page = self
            .inner
            .entries(&self.read(log), self.range(range))
            .await?;
        if self.is(Wrong::LosesEntries) {
            page.entries.retain(|entry| entry.sequence != 4);
        }
        Ok(page)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        match self.wrong {
            Wrong::ForgetsNothing => Ok(()),
            Wrong::ForgetsAll => {
                let mut beside = log.clone();
                beside.life = uuid::Uuid::from_u128(log.life.as_u128() + 1);
                self.inner.forget(&beside).await?;
                self.inner.forget(log).await
            }
            _ => self.inner.forget(log).await,
        }
    }
}

/// What a check that must fail says.
async fn said(checking: impl Future<Output = ()>) -> String {
    let caught = AssertUnwindSafe(checking).catch_unwind().await;
    let panic = caught.expect_err("the store was found to be good");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[tokio::test]
async fn each_broken_store_is_caught_by_the_guarantee_that_it_breaks() {
    for (wrong, guarantee) in [
        (Wrong::DropsTheLastEvent, "keeps_what_is_committed"),
        (Wrong::SplitsARecord, "a_record_is_all_there"),
        (
            Wrong::RefusesKeysAlone,
            "a_record_of_keys_alone_changes_no_log",
        ),
        (Wrong::MixesLives, "keeps_logs_apart"),
        (Wrong::MixesLives, "takes_many_logs_at_once"),
        (Wrong::ForgetsNothing, "forgets_one_log_alone"),
        (Wrong::ForgetsAll, "forgets_one_log_alone"),
        (
            Wrong::NumbersUnknownLogsFromZero,
            "unknown_logs_read_as_empty",
        ),
        (Wrong::TakesUntilForTheEnd, "reads_between_after_and_until"),
        (Wrong::StartsOverPastTheEnd, "nothing_is_read_past_the_end"),
        (Wrong::IgnoresMaxItems, "max_items_bounds_a_page"),
        (Wrong::IgnoresMaxBytes, "max_bytes_bounds_a_page"),
        (Wrong::GivesNothingThatIsTooLarge, "at_least_one_is_read"),
        (Wrong::LosesEntries, "entries_are_those_of_the_events"),
    ] {
        let open = async || {
            let inner = MemoryStore::new(1_000, 1 << 30);
            let last = Mutex::default();
            Arc::new(Broken { inner, wrong, last }) as Arc<dyn Store>
        };
        let said = said(store::check(open)).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
}

/// What a process that starts again finds, where that is not what was kept.
#[tokio::test]
async fn each_broken_restart_is_caught_by_the_guarantee_that_it_breaks() {
    type Change = fn(Vec<Record>) -> Vec<Record>;
    let cases: [(Change, &str); 4] = [
        (
            |mut records| {
                records.pop();
                records
            },
            "numbers_go_on_after_a_restart",
        ),
        (
            |mut records| {
                for record in &mut records {
                    if record.events.len() > 2 {
                        record.events.swap(0, 1);
                    }
                }
                records
            },
            "records_come_back_in_order",
        ),
        (
            |mut records| {
                for record in &mut records {
                    record.keys.clear();
                }
                records
            },
            "keys_come_back_with_their_records",
        ),
        (
            |mut records| {
                records.retain(|record| !record.events.is_empty());
                records
            },
            "keys_outlive_their_log",
        ),
    ];
    for (change, guarantee) in cases {
        let reopen = async |store: Arc<TestStore>| TestStore::holding(change(store.records()));
        let said = said(store::check_durable(async || TestStore::new(), reopen)).await;
        assert!(said.contains(guarantee), "{guarantee}: {said}");
    }
}
