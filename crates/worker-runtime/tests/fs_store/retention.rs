//! What is given up: the oldest and nothing else, off the disk as well, and never a Worker or an
//! answer that has not expired.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use worker_runtime::store::fs::{FsOptions, FsStore, OpenError, Retention, export_from};
use worker_runtime::store::{LogId, Range, Record, StoredEvent};
use worker_runtime::{Clock, Condition, Store};
use yoi_protocol::{Event, Severity, Timestamp};

use crate::history::{ALL, Step, Told, adds_up, is, live, options};
use crate::power::made;
use crate::sim::{Failure, Kind, Loss, Nth, SimDisk};

/// A clock that stands where it is put.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.load(Ordering::Relaxed))
    }
}

const EVERYTHING: Retention = Retention {
    max_worker_events: u64::MAX,
    max_worker_bytes: u64::MAX,
    max_age_ms: None,
    max_bytes: None,
};

/// A store, and what it was told.
struct Kept {
    disk: SimDisk,
    store: FsStore,
    told: Told,
    clock: Arc<Hand>,
    options: FsOptions,
}

impl Kept {
    fn with(retention: Retention) -> Self {
        let (disk, clock) = (made(), Arc::new(Hand::default()));
        let options = options()
            .retention(retention)
            .clock(Arc::clone(&clock) as _);
        let store = FsStore::open_on(Arc::new(disk.clone()), options.clone()).unwrap();
        let mut told = Told::default();
        told.gives_up = true;
        Self {
            disk,
            store,
            told,
            clock,
            options,
        }
    }

    async fn live(&mut self, steps: &[Step]) {
        live(&self.disk, &self.store, &mut self.told, steps).await;
        assert!(self.told.outcomes.bytes().all(|one| one == b'.'));
    }

    /// Looks after the store until nothing more comes of it.
    async fn settle(&self) {
        let mut before = None;
        while before != Some(self.changes()) {
            before = Some(self.changes());
            self.store.maintain().await;
            // Whoever writes has looked as well.
            for _ in 0..2 {
                let log = self.told.log(1);
                let (events, keys) = (Vec::new(), Vec::new());
                let nothing = Record { log, events, keys };
                let after = self.told.after(&nothing);
                self.store.commit(nothing, after).await.unwrap();
            }
        }
    }

    fn changes(&self) -> usize {
        self.disk.count(Kind::Rename) + self.disk.count(Kind::SetSize)
    }

    /// What the next process finds, also when the power is lost.
    async fn is_found(&mut self) {
        is(&self.store, &mut self.told).await.unwrap();
        for disk in [self.disk.killed(), self.disk.power_loss(Loss::Everything)] {
            let store = FsStore::open_on(Arc::new(disk), self.options.clone()).unwrap();
            is(&store, &mut self.told).await.unwrap();
            assert_eq!(store.condition(), Condition::Sound);
        }
        assert_eq!(self.store.scrub().await, Condition::Sound);
    }

    async fn first_seq(&self, log: u8) -> u64 {
        let page = self.store.events(&self.told.log(log), ALL).await.unwrap();
        page.first_seq
    }

    fn last_seq(&self, log: u8) -> u64 {
        self.events(&self.told.log(log)) as u64
    }

    fn events(&self, log: &LogId) -> usize {
        self.told.logs[log].len()
    }

    fn bytes(&self) -> u64 {
        let files = self.disk.files();
        let segments = files.iter().filter(|(name, _)| name.ends_with(".log"));
        segments.map(|(_, bytes)| bytes.len() as u64).sum()
    }
}

const BUSY: &[Step] = &[Step::Next(1, &[]); 16];

#[tokio::test]
async fn more_events_than_are_kept_of_one_worker() {
    let mut kept = Kept::with(Retention {
        max_worker_events: 5,
        ..EVERYTHING
    });
    kept.live(&[Step::Next(1, &[]), Step::Next(2, &[])]).await;
    kept.live(BUSY).await;
    let before = kept.bytes();
    kept.settle().await;
    assert_eq!(kept.first_seq(1).await, kept.last_seq(1) - 4);
    assert_eq!(kept.first_seq(2).await, 1, "another Worker's are kept");
    assert!(kept.bytes() < before / 2, "{before}, then {}", kept.bytes());
    kept.is_found().await;
}

#[tokio::test]
async fn more_bytes_than_are_kept_of_one_worker() {
    let mut kept = Kept::with(Retention {
        max_worker_bytes: 3000,
        ..EVERYTHING
    });
    kept.live(BUSY).await;
    kept.settle().await;
    let first = kept.first_seq(1).await;
    assert!(first > 1 && first <= kept.last_seq(1), "{first}");
    kept.is_found().await;
}

#[tokio::test]
async fn older_events_than_are_kept() {
    let mut kept = Kept::with(Retention {
        max_age_ms: Some(1_000),
        ..EVERYTHING
    });
    kept.live(&[Step::Next(2, &[1]), Step::Next(1, &[])]).await;
    kept.live(BUSY).await;
    let (old, before) = (kept.told.now(), kept.bytes());
    kept.live(BUSY).await;
    kept.clock
        .0
        .store(old.as_unix_ms() + 1_000, Ordering::Relaxed);
    kept.settle().await;
    let log = kept.told.log(1);
    let first = kept.first_seq(1).await as usize;
    let (given_up, rest) = kept.told.logs[&log].split_at(first - 1);
    assert!(given_up.iter().all(|event| event.at < old));
    let left = rest.iter().filter(|event| event.at < old).count();
    assert!(left < 10, "{left} old ones are in the same segment");
    assert!(kept.bytes() < 2 * before, "{}", kept.bytes());
    kept.is_found().await;

    // The last segment as well, once all of it is old.
    kept.clock
        .0
        .store(old.as_unix_ms() + 100_000, Ordering::Relaxed);
    kept.settle().await;
    for log in [1, 2] {
        assert_eq!(kept.first_seq(log).await, kept.last_seq(log) + 1);
    }
    assert!(kept.bytes() < before / 2, "{before}, then {}", kept.bytes());
    kept.is_found().await;
    kept.live(BUSY).await;
    kept.is_found().await;
}

#[tokio::test]
async fn more_bytes_than_are_kept_of_all() {
    let max_bytes = 16 * 1024;
    let mut kept = Kept::with(Retention {
        max_bytes: Some(max_bytes),
        ..EVERYTHING
    });
    kept.live(&[Step::Next(2, &[1]), Step::Next(3, &[])]).await;
    for _ in 0..4 {
        kept.live(BUSY).await;
        kept.settle().await;
        // The segment that is written to is beside that, and what is too little to be worth it.
        assert!(kept.bytes() < max_bytes + 12 * 1024, "{}", kept.bytes());
    }
    let first = kept.first_seq(1).await;
    assert!(first > 1 && first < kept.last_seq(1), "{first}");
    assert_eq!(kept.first_seq(2).await, 2, "its one event is the oldest");
    kept.is_found().await;
}

/// Also when they are in records of which nothing else is wanted.
#[tokio::test]
async fn answers_are_kept_for_their_own_time() {
    let mut kept = Kept::with(Retention {
        max_worker_events: 1,
        ..EVERYTHING
    });
    kept.live(&[Step::Next(1, &[1, 2]), Step::Answers(1, &[3])])
        .await;
    kept.live(BUSY).await;
    kept.live(&[Step::Expire, Step::Next(1, &[4]), Step::Answers(2, &[5])])
        .await;
    kept.live(BUSY).await;
    kept.live(BUSY).await;
    kept.settle().await;
    for key in [1, 2, 3] {
        assert_eq!(kept.store.answer(&[key; 32]).await, Ok(None));
    }
    kept.is_found().await;
    for key in [4, 5] {
        assert!(kept.store.answer(&[key; 32]).await.unwrap().is_some());
    }
    // Next to them is nothing that is given up.
    assert!(kept.bytes() < 9 * 1024, "{}", kept.bytes());
}

/// A clock that was set back, or a commit that took its time: nobody has dropped it.
#[tokio::test]
async fn an_answer_that_is_older_than_what_expired() {
    let mut kept = Kept::with(Retention {
        max_worker_events: 1,
        ..EVERYTHING
    });
    kept.live(&[Step::Next(1, &[])]).await;
    let late = Timestamp::from_unix_ms(1_800_000_000_000);
    kept.store.expire_answers(late);
    kept.live(&[Step::Next(1, &[1])]).await;
    kept.live(BUSY).await;
    kept.settle().await;
    let answer = timeout(Duration::from_secs(10), kept.store.answer(&[1; 32])).await;
    let answer = answer.expect("nobody waits for an answer for ever");
    assert_eq!(answer.unwrap().as_ref(), kept.told.keys.get(&[1; 32]));
    assert_eq!(kept.store.condition(), Condition::Sound);
    // Nor has the next process, which is told by the mark when answers begin.
    let store = FsStore::open_on(Arc::new(kept.disk.killed()), kept.options.clone()).unwrap();
    let answer = store.answer(&[1; 32]).await.unwrap();
    assert_eq!(answer.as_ref(), kept.told.keys.get(&[1; 32]));
}

/// Also when there is no room to take it off the disk.
#[tokio::test]
async fn what_is_given_up_does_not_come_back() {
    let mut kept = Kept::with(Retention {
        max_age_ms: Some(1_000),
        ..EVERYTHING
    });
    kept.live(BUSY).await;
    kept.live(BUSY).await;
    let old = kept.told.now().as_unix_ms() + 1_000;
    kept.clock.0.store(old, Ordering::Relaxed);
    let renames = kept.disk.count(Kind::Rename);
    let full = Failure::error(ErrorKind::StorageFull);
    let creates = Nth::when(0, |op| {
        op.kind == Kind::Create && format!("{op:?}").contains(".tmp")
    })
    .onwards();
    let fault = kept.disk.fail(creates, full);
    kept.store.maintain().await;
    assert!(fault.fired() > 0);
    let first = kept.first_seq(1).await;
    assert!(first > 1, "{first}");
    assert_eq!(kept.disk.count(Kind::Rename), renames);
    // A clock that was ahead gives up no less.
    kept.clock.0.store(0, Ordering::Relaxed);
    let store = FsStore::open_on(Arc::new(kept.disk.killed()), kept.options.clone()).unwrap();
    let page = store.events(&kept.told.log(1), ALL).await.unwrap();
    assert_eq!(page.first_seq, first);
    is(&store, &mut kept.told).await.unwrap();
}

/// However far apart they are: each has a segment to itself then.
#[tokio::test]
async fn what_is_too_old_leaves_the_disk() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let mut kept = Kept::with(Retention {
        max_age_ms: Some(8 * DAY_MS as u64),
        ..EVERYTHING
    });
    for day in 0..60 {
        kept.told.jump(DAY_MS);
        let now = kept.told.now().as_unix_ms();
        kept.clock.0.store(now, Ordering::Relaxed);
        kept.live(&[Step::Next(1, &[])]).await;
        kept.settle().await;
        let mut lines = Vec::new();
        export_from(&kept.disk, None, &mut lines).unwrap();
        let there = lines.split(|byte| *byte == b'\n').count() as u64;
        let first = kept.first_seq(1).await;
        let served = kept.last_seq(1) + 1 - first;
        // And the line after the last, and what is in the same record.
        assert!(there <= served + 4, "day {day}: {there} of {served}");
    }
    assert!(kept.first_seq(1).await > 10);
    let segments = kept
        .disk
        .files()
        .keys()
        .filter(|name| name.ends_with(".log"))
        .count();
    assert!(segments < 20, "{segments}");
    kept.is_found().await;
}

/// Nothing tells of a Worker that came and went, once the segments of its life are made one.
#[tokio::test]
async fn whoever_came_and_went_leaves_nothing() {
    let mut kept = Kept::with(Retention {
        max_worker_events: 8,
        ..EVERYTHING
    });
    // In the first segment, and wanted for ever.
    kept.live(&[Step::Next(9, &[]); 1]).await;
    kept.live(&[Step::Next(9, &[]); 3]).await;
    for _ in 0..40 {
        let brief = [Step::Next(2, &[]), Step::Next(2, &[]), Step::Forget(2)];
        kept.live(&brief).await;
        kept.live(&[Step::Next(1, &[])]).await;
        kept.settle().await;
    }
    let files = kept.disk.files();
    let first = files.keys().find(|name| name.ends_with(".log")).unwrap();
    assert_eq!(first, "0000000001.log", "it is pinned");
    let gone = |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes);
        text.matches("\"dropped\":true").count()
    };
    let gone: usize = files.values().map(gone).sum();
    assert!(gone < 25, "{gone} of 40 are told of still");
    kept.is_found().await;
}

/// More of its records are in one segment than one line of the index tells of.
#[tokio::test]
async fn a_log_with_a_long_index_is_read_whole() {
    let disk = made();
    let open = |bytes| {
        let options = options().segment_bytes(bytes).retention(EVERYTHING);
        FsStore::open_on(Arc::new(disk.clone()), options).unwrap()
    };
    let mut told = Told::default();
    let store = open(1 << 20);
    live(&disk, &store, &mut told, &[Step::Next(1, &[])]).await;
    let log = told.log(1);
    let mut written = told.logs[&log].clone();
    let mut state = adds_up(&written);
    let mut say = async |store: &FsStore| {
        let event = StoredEvent {
            seq: state.seq + 1,
            event: Event::Diagnostic {
                severity: Severity::Info,
                code: "said".to_owned(),
                message: format!("{}", state.seq),
            },
            ..written[0].clone()
        };
        state.apply(&event).unwrap();
        written.push(event.clone());
        let (log, events, keys) = (log.clone(), vec![event], Vec::new());
        let record = Record { log, events, keys };
        store.commit(record, Arc::new(state.clone())).await.unwrap();
    };
    for _ in 0..1100 {
        say(&store).await;
    }
    drop(store);
    // It is sealed by the next record, which finds no room in a segment so large.
    let store = open(4096);
    say(&store).await;
    drop(store);
    let store = open(4096);
    for after in (0..written.len()).step_by(97).chain([1022, 1023, 1024]) {
        let range = Range {
            after: after as u64,
            max_items: 3,
            ..ALL
        };
        let page = store.events(&log, range).await.unwrap();
        let found = page.events.iter().map(|event| &**event);
        assert!(found.eq(written.iter().skip(after).take(3)), "{after}");
    }
    let page = store.events(&log, ALL).await.unwrap();
    let found = page.events.iter().map(|event| &**event);
    assert!(found.eq(&written));
}

/// By a clock that was ahead for a moment, as the mark on the disk has it.
#[tokio::test]
async fn a_mark_of_later_forgets_no_answer_that_was_given_after_it() {
    let mut kept = Kept::with(EVERYTHING);
    kept.live(&[Step::Next(1, &[])]).await;
    let late = Timestamp::from_unix_ms(1_800_000_000_000);
    kept.store.expire_answers(late);
    kept.live(&[Step::Next(1, &[])]).await;
    // The mark lasts.
    kept.store.maintain().await;
    kept.live(&[Step::Next(1, &[1])]).await;
    let lost = kept.disk.power_loss(Loss::Everything);
    let store = FsStore::open_on(Arc::new(lost), kept.options.clone()).unwrap();
    let answer = store.answer(&[1; 32]).await.unwrap();
    assert!(answer.is_some());
    assert_eq!(answer.as_ref(), kept.told.keys.get(&[1; 32]));
}

/// It was whole before it had its name, so no start takes its records for what is to be indexed.
#[tokio::test]
async fn the_index_of_a_last_segment_that_was_made_of_others_is_damaged() {
    let mut kept = Kept::with(Retention {
        max_age_ms: Some(1_000),
        ..EVERYTHING
    });
    let is_last = |disk: &SimDisk| {
        let files = disk.files();
        let mut segments = files.into_iter().filter(|(name, _)| name.ends_with(".log"));
        segments.next_back().filter(|(name, _)| name.contains('-'))
    };
    // Whether the last one is sealed in time to be one of them is for its writer to say.
    let mut last = None;
    for _ in 0..50 {
        kept.live(BUSY).await;
        let old = kept.told.now().as_unix_ms() + 100_000;
        kept.clock.0.store(old, Ordering::Relaxed);
        kept.settle().await;
        last = is_last(&kept.disk);
        if last.is_some() {
            break;
        }
    }
    let (name, bytes) = last.expect("segments are made one");
    let seal = bytes[..bytes.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    let disk = kept.disk.killed();
    disk.flip(&name, seal as u64 - 20, 1);
    let error = FsStore::open_on(Arc::new(disk), kept.options.clone()).unwrap_err();
    let OpenError::Damaged { file, offset, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*file, name);
    assert!((1..seal as u64).contains(offset), "{error}");
}

/// They are not given up, so giving up events instead of them helps nobody.
#[tokio::test]
async fn answers_leave_half_of_the_bytes_to_events() {
    let max_bytes = 32 * 1024;
    let mut kept = Kept::with(Retention {
        max_bytes: Some(max_bytes),
        ..EVERYTHING
    });
    for key in 0..100_u8 {
        let keys: &'static [u8] = vec![key].leak();
        kept.live(&[Step::Answers(1, keys)]).await;
    }
    for _ in 0..4 {
        kept.live(BUSY).await;
    }
    kept.settle().await;
    let (first, last) = (kept.first_seq(1).await, kept.last_seq(1));
    assert!(first > 1, "all of {last} events are there");
    // Each takes about 300 bytes.
    let kept_bytes = (last + 1 - first) * 300;
    assert!(kept_bytes > max_bytes / 4, "{first} of {last}");
    for key in 0..100_u8 {
        assert!(kept.store.answer(&[key; 32]).await.unwrap().is_some());
    }
    kept.is_found().await;
}

const ANSWERED: &[Step] = &[Step::Next(1, &[1])];

/// Segments are made one, again and again, while somebody asks for what is in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_found_while_segments_are_made_one() {
    let kept = Kept::with(Retention {
        max_worker_events: 1,
        ..EVERYTHING
    });
    let Kept {
        disk,
        store,
        mut told,
        ..
    } = kept;
    live(&disk, &store, &mut told, ANSWERED).await;
    let (store, is_over) = (Arc::new(store), Arc::new(AtomicI64::new(0)));
    let (asked, over) = (Arc::clone(&store), Arc::clone(&is_over));
    let asking = tokio::spawn(async move {
        while over.load(Ordering::Relaxed) == 0 {
            let answer = asked.answer(&[1; 32]).await;
            assert!(answer.unwrap().is_some());
        }
    });
    for _ in 0..20 {
        live(&disk, &store, &mut told, ANSWERED).await;
        live(&disk, &store, &mut told, &BUSY[..8]).await;
        store.maintain().await;
    }
    is_over.store(1, Ordering::Relaxed);
    asking.await.unwrap();
    assert!(disk.count(Kind::Rename) > 10);
    assert_eq!(store.condition(), Condition::Sound);
}

/// Whoever commits nothing waits for what was before it, also when nothing was.
#[tokio::test]
async fn nothing_is_kept_of_nothing() {
    let kept = Kept::with(EVERYTHING);
    let files = kept.disk.files();
    kept.settle().await;
    assert_eq!(kept.disk.files(), files);
}
