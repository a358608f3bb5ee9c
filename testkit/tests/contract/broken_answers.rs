//! Stores that break what they guarantee of answers: each is caught, by the function of that
//! guarantee.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use worker_runtime::store::{EntryPage, EventPage, KeyRecord, LogId, Range, Record};
use worker_runtime::{Condition, MemoryStore, Store, StoreError, WorkerState};
use yoi_protocol::{Diagnostic, Timestamp};
use yoi_testkit::contract::store;

use crate::broken_stores::said;

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    LosesThoseOfNothing,
    AnswersEveryKey,
    WritesThemAnew,
    DropsThemWithTheirLog,
    DropsThemWithTheirEvents,
    KeepsThemForEver,
    DropsThemAll,
    DropsThoseOfTheTimeToo,
    KeepsTheLastOfThem,
    TakesThemForOrdered,
    CountsThoseThatAreGone,
    KeepsTheFirst,
    KeepsTheFirstTime,
}

/// So many commits to a log are many.
const MANY: usize = 100;

type Key = [u8; 32];

struct Broken {
    memory: MemoryStore,
    wrong: Wrong,
    seen: Mutex<Seen>,
}

/// What a broken store goes by.
#[derive(Default)]
struct Seen {
    /// All answers, in the order of their commits.
    given: Vec<KeyRecord>,
    of_log: HashMap<LogId, Vec<Key>>,
    commits: usize,
    gone: HashSet<Key>,
}

impl Broken {
    fn open(wrong: Wrong, kept: u64) -> Arc<dyn Store> {
        Arc::new(Self {
            memory: MemoryStore::new(kept, 1 << 30),
            wrong,
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no test panicked in it")
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

    fn condition(&self) -> Condition {
        Condition::Sound
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        self.memory.recover(take).await
    }

    async fn commit(&self, mut record: Record, _after: Arc<WorkerState>) -> Result<(), StoreError> {
        let mut seen = self.seen();
        match self.wrong {
            Wrong::LosesThoseOfNothing if record.events.is_empty() => record.keys.clear(),
            Wrong::KeepsTheFirst => {
                let is_new = |key: &KeyRecord| seen.given.iter().all(|one| one.key != key.key);
                record.keys.retain(is_new);
            }
            Wrong::WritesThemAnew => {
                for key in &mut record.keys {
                    let answer: serde_json::Value =
                        serde_json::from_str(&key.answer).expect("JSON");
                    key.answer = answer.to_string().into();
                }
            }
            _ => {}
        }
        seen.commits += 1;
        seen.given.extend(record.keys.iter().cloned());
        let keys = record.keys.iter().map(|key| key.key);
        seen.of_log
            .entry(record.log.clone())
            .or_default()
            .extend(keys);
        if self.wrong == Wrong::DropsThemWithTheirEvents && seen.commits == MANY {
            seen.gone = seen.given.iter().map(|key| key.key).collect();
        }
        self.memory.add(record);
        Ok(())
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        self.memory.events(log, range).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        self.memory.entries(log, range).await
    }

    async fn answer(&self, key: &Key) -> Result<Option<KeyRecord>, StoreError> {
        if self.wrong == Wrong::AnswersEveryKey {
            return Ok(self.seen().given.last().cloned());
        }
        let is_gone = self.seen().gone.contains(key);
        let answer = self.memory.answer(key).await?;
        Ok(answer.filter(|_| !is_gone))
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        let shifted = |ms| Timestamp::from_unix_ms(before.as_unix_ms() + ms);
        let ever = Timestamp::from_unix_ms(0);
        let mut seen = self.seen();
        match self.wrong {
            Wrong::KeepsThemForEver => self.memory.expire_answers(ever),
            Wrong::DropsThemAll => self.memory.expire_answers(shifted(1_000_000)),
            Wrong::DropsThoseOfTheTimeToo => self.memory.expire_answers(shifted(1)),
            Wrong::KeepsTheLastOfThem => self.memory.expire_answers(shifted(-1)),
            Wrong::CountsThoseThatAreGone => {
                self.memory.expire_answers(before);
                seen.given.len() as u64
            }
            Wrong::TakesThemForOrdered => {
                let ordered = seen.given.iter().take_while(|one| one.at < before);
                let gone: Vec<Key> = ordered.map(|one| one.key).collect();
                seen.gone.extend(gone);
                self.memory.expire_answers(ever) - seen.gone.len() as u64
            }
            Wrong::KeepsTheFirstTime => {
                let old = seen.given.iter().filter(|one| one.at < before);
                let gone: Vec<Key> = old.map(|one| one.key).collect();
                seen.gone.extend(gone);
                self.memory.expire_answers(ever) - seen.gone.len() as u64
            }
            _ => self.memory.expire_answers(before),
        }
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        if self.wrong == Wrong::DropsThemWithTheirLog {
            let mut seen = self.seen();
            let keys = seen.of_log.remove(log).unwrap_or_default();
            seen.gone.extend(keys);
        }
        self.memory.forget(log).await
    }
}

#[tokio::test]
async fn a_store_that_does_nothing_wrong_with_answers_is_good() {
    store::check(async || Broken::open(Wrong::Nothing, 1_000)).await;
    store::check_bounded(async || Broken::open(Wrong::Nothing, 9)).await;
}

#[tokio::test]
async fn each_store_that_is_wrong_with_answers_is_caught_by_the_guarantee_that_it_breaks() {
    let (committed, expire) = ("answers_what_was_committed", "answers_expire_when_told");
    for (wrong, guarantee) in [
        (Wrong::LosesThoseOfNothing, committed),
        (Wrong::AnswersEveryKey, committed),
        (Wrong::WritesThemAnew, committed),
        (Wrong::DropsThemWithTheirLog, "answers_outlive_their_log"),
        (Wrong::KeepsThemForEver, expire),
        (Wrong::DropsThemAll, expire),
        (Wrong::DropsThoseOfTheTimeToo, expire),
        (Wrong::KeepsTheLastOfThem, expire),
        (Wrong::TakesThemForOrdered, expire),
        (Wrong::CountsThoseThatAreGone, expire),
        (Wrong::KeepsTheFirst, expire),
        (Wrong::KeepsTheFirstTime, expire),
    ] {
        let said = said(store::check(async || Broken::open(wrong, 1_000))).await;
        assert!(said.contains(guarantee), "{wrong:?}: {said}");
    }
    let wrong = Wrong::DropsThemWithTheirEvents;
    let said = said(store::check_bounded(async || Broken::open(wrong, 9))).await;
    assert!(said.contains("answers_outlive_their_events"), "{said}");
}
