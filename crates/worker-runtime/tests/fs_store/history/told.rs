//! What a store was told, and what it answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;
use worker_runtime::WorkerState;
use worker_runtime::store::{KeyRecord, LogId, Record, StoreError, StoredEvent};
use yoi_protocol::{
    Entry, Event, Outcome, Role, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus,
};

/// What a store was told, and what it answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The events of each log that were acknowledged.
    pub(crate) logs: BTreeMap<LogId, Vec<StoredEvent>>,
    pub(crate) keys: BTreeMap<[u8; 32], KeyRecord>,
    /// Every key there ever was an answer for.
    pub(super) asked: BTreeSet<[u8; 32]>,
    /// Answers given before may be gone.
    pub(super) expired: Option<Timestamp>,
    /// Whether any of the events may be given up, and not only those past the most that are kept.
    pub(crate) gives_up: bool,
    /// Every record, as it came.
    pub(crate) said: Vec<Record>,
    /// Records that nobody can tell of.
    pub(super) open: Vec<Record>,
    /// The log of which nobody can tell whether it was dropped.
    pub(super) forgetting: Option<LogId>,
    /// How each record was answered: `.` taken, `-` refused, `?` nobody can tell.
    pub(crate) outcomes: String,
    /// Counts everything: no two events are the same.
    now: i64,
    /// How many lives each Worker had before.
    lives: BTreeMap<u8, u128>,
}

impl Told {
    /// Lets time pass.
    pub(crate) fn jump(&mut self, ms: i64) {
        self.now += ms;
    }

    pub(crate) fn log(&self, number: u8) -> LogId {
        let life = self.lives.get(&number).copied().unwrap_or(0);
        LogId {
            worker_id: WorkerId::parse(&format!("w-{number}")).unwrap(),
            life: Uuid::from_u128(u128::from(number) << 64 | life),
        }
    }

    /// What a Runtime would say next of a log: its begin, the start of a run, or its end.
    pub(super) fn next(&mut self, number: u8, keys: &[u8]) -> Record {
        let log = self.log(number);
        let state = self.logs.get(&log).map(|events| fold(None, events));
        let first = state.as_ref().map_or(1, |state| state.seq + 1);
        let events = match &state {
            None => vec![begin(&log, self.tick())],
            Some(state) => self.run(state),
        };
        let mut seq = first..;
        let events = events.into_iter().map(|(at, event)| StoredEvent {
            seq: seq.next().unwrap(),
            at,
            event,
        });
        Record {
            events: events.collect(),
            ..self.answers(number, keys)
        }
    }

    fn run(&mut self, state: &WorkerState) -> Vec<(Timestamp, Event)> {
        let sequence = state.worker.transcript_length + 1;
        let entry = |at: Timestamp, role, run_id: &RunId, content: String| Entry {
            sequence,
            role,
            content,
            run_id: run_id.clone(),
            at,
            redacted: false,
        };
        let at = self.tick();
        let number = at.as_unix_ms();
        match &state.worker.active_run {
            None => {
                let run_id = RunId::parse(&format!("run-{number}")).unwrap();
                let said = entry(at, Role::User, &run_id, words(number));
                [
                    Event::InputAccepted { entry: said },
                    Event::RunStarted { run_id },
                ]
                .map(|event| (at, event))
                .into()
            }
            Some(active) => {
                let run_id = active.run_id.clone();
                let said = entry(at, Role::Assistant, &run_id, words(number));
                let finished = Event::RunFinished {
                    run_id,
                    outcome: Outcome::Completed,
                    error: None,
                };
                vec![
                    (at, Event::EntryAppended { entry: said }),
                    (self.tick(), finished),
                ]
            }
        }
    }

    /// Answers of a log, which it changes nothing else of.
    pub(super) fn answers(&mut self, number: u8, keys: &[u8]) -> Record {
        let answer = |number: &u8| {
            let at = self.tick();
            self.asked.insert([*number; 32]);
            KeyRecord {
                key: [*number; 32],
                body: [100 + *number; 32],
                answer: format!("{{ \"number\":{number}.0, \"at\":{} }}", at.as_unix_ms()).into(),
                at,
            }
        };
        let keys = keys.iter().map(answer).collect();
        Record {
            log: self.log(number),
            events: Vec::new(),
            keys,
        }
    }

    /// What a log adds up to with a record.
    pub(crate) fn after(&self, record: &Record) -> Arc<WorkerState> {
        let before = self.logs.get(&record.log);
        let before = before.map(|events| fold(None, events));
        Arc::new(fold(before, &record.events))
    }

    pub(super) fn committed(&mut self, record: &Record, answer: &Result<(), StoreError>) {
        self.said.push(record.clone());
        let outcome = match answer {
            Ok(()) => {
                self.is_there(record);
                '.'
            }
            Err(StoreError::Uncertain(_)) => {
                self.open.push(record.clone());
                '?'
            }
            Err(_) => '-',
        };
        self.outcomes.push(outcome);
    }

    /// What it would be with its first records only, of those that were all taken.
    pub(crate) fn first(&self, records: usize) -> Self {
        let mut first = Self {
            asked: self.asked.clone(),
            now: self.now,
            ..Self::default()
        };
        for record in &self.said[..records] {
            first.committed(record, &Ok(()));
        }
        first
    }

    /// Counts a record that is there.
    pub(super) fn is_there(&mut self, record: &Record) {
        if !record.events.is_empty() {
            let events = self.logs.entry(record.log.clone()).or_default();
            events.extend(record.events.clone());
        }
        for key in &record.keys {
            self.keys.insert(key.key, key.clone());
        }
    }

    pub(super) fn forgot(&mut self, log: &LogId, answer: &Result<(), StoreError>) {
        match answer {
            Ok(()) => self.is_forgotten(log),
            Err(StoreError::Uncertain(_)) => self.forgetting = Some(log.clone()),
            Err(_) => {}
        }
    }

    /// Counts a log that is dropped: what comes next of its Worker is another life.
    pub(super) fn is_forgotten(&mut self, log: &LogId) {
        if self.logs.remove(log).is_some() {
            let number = log.life.as_u128() >> 64;
            *self.lives.entry(number as u8).or_default() += 1;
        }
    }

    /// Before when answers are to be dropped: the middle of the past.
    pub(super) fn expire(&mut self) -> Timestamp {
        let before = time(self.now / 2);
        self.expired = Some(before);
        before
    }

    /// What tells it apart from others of the same life.
    pub(crate) fn print(&self) -> String {
        let events: usize = self.logs.values().map(Vec::len).sum();
        let (outcomes, keys) = (&self.outcomes, self.keys.len());
        let (open, forgetting, expired) = (self.open.len(), &self.forgetting, self.expired);
        format!(
            "{outcomes} {events} {keys} {open} {forgetting:?} {expired:?} {:?}",
            self.lives
        )
    }

    /// When it is.
    pub(crate) fn now(&self) -> Timestamp {
        time(self.now)
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 1;
        time(self.now)
    }
}

fn time(number: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + number)
}

fn fold(before: Option<WorkerState>, events: &[StoredEvent]) -> WorkerState {
    let mut state = before;
    for event in events {
        match &mut state {
            Some(state) => state.apply(event).unwrap(),
            None => state = Some(WorkerState::begin(event).unwrap()),
        }
    }
    // Of a log that is not there, answers alone are told: what it adds up to is asked by nobody.
    state.unwrap_or_else(|| fold(None, &nobody()))
}

/// Different ones for each number, and enough to fill a sector.
fn words(number: i64) -> String {
    format!("{number}: grüß\0\n{}", "\u{1F980} ü".repeat(80))
}

pub(crate) fn adds_up(events: &[StoredEvent]) -> WorkerState {
    fold(None, events)
}

fn nobody() -> [StoredEvent; 1] {
    let log = Told::default().log(0);
    let (at, event) = begin(&log, time(0));
    [StoredEvent { seq: 1, at, event }]
}

fn begin(log: &LogId, at: Timestamp) -> (Timestamp, Event) {
    let worker = Worker {
        runtime_id: RuntimeId::parse("rt-1").unwrap(),
        worker_id: log.worker_id.clone(),
        display_name: Some("Größe \u{1F980}".to_owned()),
        display_ref: format!("{}@rt-1", log.worker_id),
        status: WorkerStatus::Idle,
        profile: "echo".to_owned(),
        intent: None,
        labels: [("life".to_owned(), log.life.to_string())].into(),
        created_at: at,
        updated_at: at,
        transcript_length: 0,
        active_run: None,
        last_run: None,
    };
    let event = Event::Snapshot {
        worker: Box::new(worker),
        transcript: Vec::new(),
        first_sequence: 1,
    };
    (at, event)
}
