//! Stores that break one guarantee: each is caught, by the function of that guarantee.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, MemoryStore, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Event, Severity, Timestamp};
use yoi_testkit::contract::store;
use yoi_testkit::fixtures::bodies;

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    DropsTheLastEvent,
    SplitsARecord,
    RefusesKeysAlone,
    MixesLives,
    ForgetsNothing,
    ForgetsAll,
    ForgetsOnce,
    NumbersUnknownLogsFromZero,
    TakesUntilForTheEnd,
    StartsOverPastTheEnd,
    IgnoresMaxItems,
    IgnoresMaxBytes,
    GivesNothingThatIsTooLarge,
    LosesEntries,
    RecoversWhatNobodyWrote,
    DropsWhatItDoesNotKnow,
    CutsLargeTexts,
    NamesADirectory,
    ShowsARecordByHalves,
    SkipsBetweenPages,
    SaysThatAllIsThere,
    GivesNothingBeforeTheFirst,
    NumbersNoEntriesFromTheStart,
    SaysThatItHasFailed,
    SaysThatItIsDamagedByWhatItDropped,
}

/// One event, wherever it is.
const ONE: Range = Range {
    after: 0,
    until: u64::MAX,
    max_items: 1,
    max_bytes: 0,
};

struct Broken {
    inner: MemoryStore,
    wrong: Wrong,
    /// The log that was committed to last.
    last: Mutex<Option<LogId>>,
    has_dropped: AtomicBool,
}

impl Broken {
    fn open(wrong: Wrong, kept: u64) -> Arc<dyn Store> {
        Arc::new(Self {
            inner: MemoryStore::new(kept, 1 << 30),
            wrong,
            last: Mutex::default(),
            has_dropped: AtomicBool::new(false),
        })
    }

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
        let message = if self.is(Wrong::NamesADirectory) {
            "the disk of /var/lib/yoi is slow"
        } else {
            "the disk is slow"
        };
        vec![Diagnostic {
            severity: Severity::Warning,
            code: "disk_slow".to_owned(),
            message: message.to_owned(),
        }]
    }

    fn condition(&self) -> Condition {
        let has_dropped = self.has_dropped.load(Ordering::SeqCst);
        match self.wrong {
            Wrong::SaysThatItHasFailed => Condition::Failed,
            Wrong::SaysThatItIsDamagedByWhatItDropped if has_dropped => Condition::Damaged,
            _ => Condition::Sound,
        }
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        if self.is(Wrong::RecoversWhatNobodyWrote) {
            let worker = bodies::worker_created();
            let log = LogId {
                worker_id: worker.worker_id.clone(),
                life: uuid::Uuid::nil(),
            };
            take(log, Arc::new(WorkerState::resume(worker, 1)));
        }
        Ok(())
    }

    async fn commit(&self, mut record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        *self.last.lock().expect("no test panicked in it") = Some(record.log.clone());
        match self.wrong {
            Wrong::DropsTheLastEvent if record.events.len() > 1 => {
                record.events.pop();
            }
            Wrong::SplitsARecord => record.events.truncate(1),
            Wrong::RefusesKeysAlone if record.events.is_empty() => {
                return Err(StoreError::Refused("nothing to write"));
            }
            Wrong::DropsWhatItDoesNotKnow => {
                for event in &mut record.events {
                    if let Event::Unknown(unknown) = &mut event.event {
                        unknown.fields.remove("deep");
                    }
                }
            }
            Wrong::CutsLargeTexts => {
                for event in &mut record.events {
                    if let Event::EntryAppended { entry } = &mut event.event {
                        entry.content = entry.content.chars().take(50_000).collect();
                    }
                }
            }
            Wrong::ShowsARecordByHalves if record.events.len() > 1 => {
                let half = record.events.split_off(2);
                let first = std::mem::replace(&mut record.events, half);
                let log = record.log.clone();
                let keys = Vec::new();
                let events = first;
                self.inner.add(Record { log, events, keys });
                tokio::task::yield_now().await;
            }
            _ => {}
        }
        self.inner.commit(record, after).await
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
        if range.after.saturating_add(1) < page.first_seq
            && self.is(Wrong::GivesNothingBeforeTheFirst)
        {
            page.events.clear();
        }
        if self.is(Wrong::SaysThatAllIsThere) {
            page.first_seq = 1;
        }
        if range.after > 30 && range.max_items < 9 && self.is(Wrong::SkipsBetweenPages) {
            page.events.drain(..page.events.len().min(1));
        }
        Ok(page)
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        let mut page = self
            .inner
            .entries(&self.read(log), self.range(range))
            .await?;
        if self.is(Wrong::LosesEntries) {
            page.entries.retain(|entry| entry.sequence % 398 != 4);
        }
        if self.is(Wrong::SaysThatAllIsThere)
            || page.entries.is_empty() && self.is(Wrong::NumbersNoEntriesFromTheStart)
        {
            page.first_sequence = 1;
        }
        Ok(page)
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.inner.answer(key).await
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.inner.expire_answers(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        self.has_dropped.store(true, Ordering::SeqCst);
        match self.wrong {
            Wrong::ForgetsNothing => Ok(()),
            Wrong::ForgetsOnce if self.inner.events(log, ONE).await?.events.is_empty() => {
                Err(StoreError::Refused("there is no such log"))
            }
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
pub(crate) async fn said(checking: impl Future<Output = ()>) -> String {
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
        (Wrong::ForgetsAll, "forgets_while_others_are_written"),
        (Wrong::ForgetsOnce, "forgets_one_log_alone"),
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
        (
            Wrong::RecoversWhatNobodyWrote,
            "a_fresh_store_recovers_nothing",
        ),
        (Wrong::DropsWhatItDoesNotKnow, "keeps_every_kind_of_event"),
        (Wrong::CutsLargeTexts, "keeps_every_kind_of_event"),
        (Wrong::NamesADirectory, "says_no_path"),
        (Wrong::ShowsARecordByHalves, "reads_see_records_whole"),
        (Wrong::SkipsBetweenPages, "pages_join_while_a_log_grows"),
        (Wrong::SaysThatItHasFailed, "a_sound_store_says_so"),
        (
            Wrong::SaysThatItIsDamagedByWhatItDropped,
            "a_sound_store_says_so",
        ),
    ] {
        let open = async || Broken::open(wrong, 1_000);
        let said = said(store::check(open)).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
}

#[tokio::test]
async fn each_broken_bound_is_caught_by_the_guarantee_that_it_breaks() {
    for (wrong, guarantee) in [
        (Wrong::SaysThatAllIsThere, "gives_up_only_the_oldest"),
        (
            Wrong::GivesNothingBeforeTheFirst,
            "reads_before_the_first_begin_there",
        ),
        (
            Wrong::SaysThatAllIsThere,
            "gives_up_only_the_oldest_entries",
        ),
        (Wrong::LosesEntries, "gives_up_only_the_oldest_entries"),
        (
            Wrong::NumbersNoEntriesFromTheStart,
            "an_empty_transcript_begins_after_the_last",
        ),
    ] {
        // Few are kept; but of entries all those that this one loses.
        let kept = if wrong == Wrong::LosesEntries { 999 } else { 9 };
        let open = async || Broken::open(wrong, kept);
        let said = said(store::check_bounded(open)).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
    let all = async || Arc::new(MemoryStore::new(9_999, 1 << 30)) as Arc<dyn Store>;
    let said = said(store::check_bounded(all)).await;
    assert!(said.contains("it was to give something up"), "{said}");
}
