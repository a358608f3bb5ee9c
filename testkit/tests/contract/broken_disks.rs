//! Stores that survive their process, and break a guarantee while they write: each is caught, by
//! the function of that guarantee.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Severity, Timestamp};
use yoi_testkit::TestStore;
use yoi_testkit::contract::store;

use crate::broken_stores::said;

/// What a disk does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Nothing.
    Nothing,
    /// Nothing either: whoever gives up a write finds it undone, or done and not told.
    TakesItsTime,
    WritesByHalves,
    WritesKeysFirst,
    WritesKeysLast,
    ForgetsInMemoryAlone,
    NamesWhatItFound,
    HandsOverTwice,
    HandsOverAWorkerThatIsOld,
    HandsOverANumberThatIsOld,
    HandsOverNoEnd,
    LosesTheBegin,
    KeepsAnswersForEver,
    SaysThatItIsDamaged,
    TakesMore,
    IsUncertainOfAll,
    NamesWhatFailed,
    KeepsWithoutKeys,
    KeepsKeysAlone,
    KeepsHalf,
    LosesTheLog,
    KeepsWhatItRefused,
    SaysThatItIsSound,
    IsSoundOnceItRefused,
}

/// A disk whose next write may be uncertain.
struct Disk {
    inner: Arc<TestStore>,
    wrong: Wrong,
    fails_next: AtomicBool,
    is_uncertain: AtomicBool,
    has_refused: AtomicBool,
    is_reopened: bool,
}

impl Disk {
    fn open(wrong: Wrong) -> Arc<Self> {
        Self::with(wrong, TestStore::new(), false)
    }

    fn reopened(&self) -> Arc<Self> {
        Self::with(self.wrong, self.inner.reopened(), true)
    }

    fn with(wrong: Wrong, inner: Arc<TestStore>, is_reopened: bool) -> Arc<Self> {
        Arc::new(Self {
            inner,
            wrong,
            fails_next: AtomicBool::new(false),
            is_uncertain: AtomicBool::new(false),
            has_refused: AtomicBool::new(false),
            is_reopened,
        })
    }

    fn fail(&self) {
        self.fails_next.store(true, Ordering::SeqCst);
    }

    /// What becomes of a record whose write fails so that nobody can tell.
    async fn keep(&self, mut record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        match self.wrong {
            Wrong::KeepsWithoutKeys => record.keys.clear(),
            Wrong::KeepsKeysAlone => record.events.clear(),
            Wrong::KeepsHalf => record.events.truncate(2),
            Wrong::LosesTheLog => {
                self.inner.forget(&record.log).await?;
            }
            _ => {}
        }
        self.inner.commit(record, after).await
    }

    async fn write(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        let (mut first, mut then) = (record.clone(), record);
        match self.wrong {
            Wrong::WritesByHalves if first.events.len() > 1 => {
                then.events = first.events.split_off(2);
                first.keys.clear();
            }
            Wrong::WritesKeysFirst => {
                first.events.clear();
                then.keys.clear();
            }
            Wrong::WritesKeysLast => {
                first.keys.clear();
                then.events.clear();
            }
            Wrong::TakesItsTime => {
                tokio::task::yield_now().await;
                self.inner.commit(first, after).await?;
                tokio::task::yield_now().await;
                return Ok(());
            }
            _ => return self.inner.commit(first, after).await,
        }
        self.inner.commit(first, Arc::clone(&after)).await?;
        tokio::task::yield_now().await;
        self.inner.commit(then, after).await
    }

    /// What it makes of a state that it kept.
    fn recovered(&self, mut state: Arc<WorkerState>) -> Arc<WorkerState> {
        let changed = Arc::make_mut(&mut state);
        match self.wrong {
            Wrong::HandsOverAWorkerThatIsOld => changed.worker.last_run = None,
            Wrong::HandsOverANumberThatIsOld => changed.seq = changed.seq.saturating_sub(1),
            Wrong::HandsOverNoEnd => changed.is_over = false,
            _ => {}
        }
        state
    }
}

#[async_trait]
impl Store for Disk {
    fn kind(&self) -> &'static str {
        "broken"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let names = self.is_reopened && self.wrong == Wrong::NamesWhatItFound;
        let found = names.then(|| Diagnostic {
            severity: Severity::Warning,
            code: "torn_record".to_owned(),
            message: "the end of logs/w-1.log was cut".to_owned(),
        });
        found.into_iter().collect()
    }

    fn condition(&self) -> Condition {
        let has_refused = self.has_refused.load(Ordering::SeqCst);
        match self.wrong {
            Wrong::SaysThatItIsDamaged if self.is_reopened => Condition::Damaged,
            Wrong::SaysThatItIsSound => Condition::Sound,
            Wrong::IsSoundOnceItRefused if has_refused => Condition::Sound,
            _ if self.is_uncertain.load(Ordering::SeqCst) => Condition::Failed,
            _ => Condition::Sound,
        }
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        let mut hand_over = |log: LogId, state| {
            if self.wrong == Wrong::HandsOverTwice {
                take(log.clone(), Arc::clone(&state));
            }
            take(log, self.recovered(state));
        };
        self.inner.recover(&mut hand_over).await
    }

    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        if self.fails_next.swap(false, Ordering::SeqCst) {
            self.is_uncertain.store(true, Ordering::SeqCst);
            self.keep(record, after).await?;
            return Err(StoreError::Uncertain("the fsync failed"));
        }
        if !self.is_uncertain.load(Ordering::SeqCst) {
            return self.write(record, after).await;
        }
        self.has_refused.store(true, Ordering::SeqCst);
        match self.wrong {
            Wrong::TakesMore => self.write(record, after).await,
            Wrong::IsUncertainOfAll => Err(StoreError::Uncertain("the fsync failed before")),
            Wrong::NamesWhatFailed => Err(StoreError::Refused("logs/w-1.log failed before")),
            Wrong::KeepsWhatItRefused => {
                self.write(record, after).await?;
                Err(StoreError::Refused("it failed before"))
            }
            _ => Err(StoreError::Refused("it failed before")),
        }
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        let mut page = self.inner.events(log, range).await?;
        if self.is_reopened && self.wrong == Wrong::LosesTheBegin {
            page.events.retain(|event| event.seq > 1);
            page.first_seq = page.first_seq.max(2);
        }
        Ok(page)
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.inner.entries(log, range).await
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.inner.answer(key).await
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        let keeps = self.is_reopened && self.wrong == Wrong::KeepsAnswersForEver;
        let ever = Timestamp::from_unix_ms(0);
        self.inner.expire_answers(if keeps { ever } else { before })
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        match self.wrong {
            Wrong::ForgetsInMemoryAlone => Ok(()),
            _ => self.inner.forget(log).await,
        }
    }
}

#[tokio::test]
async fn a_disk_that_does_nothing_wrong_is_good() {
    for wrong in [Wrong::Nothing, Wrong::TakesItsTime] {
        let open = async || Disk::open(wrong);
        let reopen = async |disk: Arc<Disk>| disk.reopened();
        store::check_durable(open, reopen).await;
        store::check_crash(open, reopen).await;
        store::check_uncertain(open, Disk::fail, reopen).await;
    }
}

#[tokio::test]
async fn each_broken_disk_is_caught_after_a_crash() {
    let whole = "a_commit_cut_by_the_end_is_whole_or_not_there";
    for (wrong, guarantee) in [
        (Wrong::WritesByHalves, whole),
        (
            Wrong::WritesByHalves,
            "a_commit_given_up_is_whole_or_not_there",
        ),
        (Wrong::WritesKeysFirst, whole),
        (Wrong::WritesKeysLast, whole),
        (
            Wrong::WritesKeysLast,
            "a_commit_given_up_is_whole_or_not_there",
        ),
        (
            Wrong::ForgetsInMemoryAlone,
            "forgotten_logs_do_not_come_back",
        ),
        (Wrong::NamesWhatItFound, "says_no_path_after_a_restart"),
        (Wrong::HandsOverTwice, "records_come_back_in_order"),
        (
            Wrong::HandsOverAWorkerThatIsOld,
            "records_come_back_in_order",
        ),
        (
            Wrong::HandsOverAWorkerThatIsOld,
            "what_was_acknowledged_is_there",
        ),
        (
            Wrong::HandsOverANumberThatIsOld,
            "logs_begin_with_a_snapshot",
        ),
        (Wrong::HandsOverNoEnd, "every_kind_of_event_comes_back"),
        (Wrong::LosesTheBegin, "logs_begin_with_a_snapshot"),
        (Wrong::KeepsAnswersForEver, "answers_expire_after_a_restart"),
        (
            Wrong::SaysThatItIsDamaged,
            "a_sound_store_says_so_after_a_restart",
        ),
    ] {
        let open = async || Disk::open(wrong);
        let reopen = async |disk: Arc<Disk>| disk.reopened();
        let said = said(store::check_crash(open, reopen)).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
}

#[tokio::test]
async fn each_broken_disk_is_caught_once_it_cannot_tell() {
    let (more, whole) = (
        "takes_no_more_once_it_is_uncertain",
        "what_is_uncertain_is_whole_or_not_there",
    );
    for (wrong, guarantee) in [
        (Wrong::TakesMore, more),
        (Wrong::IsUncertainOfAll, more),
        (Wrong::NamesWhatFailed, more),
        (Wrong::KeepsWithoutKeys, whole),
        (Wrong::KeepsKeysAlone, whole),
        (Wrong::KeepsHalf, whole),
        (Wrong::LosesTheLog, whole),
        (Wrong::KeepsWhatItRefused, whole),
        (Wrong::SaysThatItIsSound, more),
        (Wrong::IsSoundOnceItRefused, more),
    ] {
        let open = async || Disk::open(wrong);
        let reopen = async |disk: Arc<Disk>| disk.reopened();
        let said = said(store::check_uncertain(open, Disk::fail, reopen)).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
    // One that does not fail when it is told to has not been asked anything.
    let open = async || Disk::open(Wrong::Nothing);
    let reopen = async |disk: Arc<Disk>| disk.reopened();
    let said = said(store::check_uncertain(open, |_| {}, reopen)).await;
    assert!(said.contains("a commit that must fail"), "{said}");
}
