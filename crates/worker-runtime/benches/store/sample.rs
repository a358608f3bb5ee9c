//! What is committed: inputs of a hundred bytes, as a Runtime makes them.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;
use worker_runtime::store::fs::{FsOptions, FsStore};
use worker_runtime::store::{KeyRecord, LogId, Record, StoredEvent};
use worker_runtime::{Store, WorkerState};
use yoi_protocol::{
    Entry, Event, Outcome, Role, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus,
};

pub(crate) fn open(path: &Path) -> Arc<FsStore> {
    let runtime = RuntimeId::parse("bench").unwrap();
    Arc::new(FsStore::open(path, FsOptions::new(runtime)).unwrap())
}

/// One Worker whose log is written.
pub(crate) struct Writer {
    log: LogId,
    state: WorkerState,
    is_answering: bool,
}

impl Writer {
    /// The same, whose inputs come with an answer to remember, or do not.
    pub(crate) fn answering(self, is_answering: bool) -> Self {
        Self {
            is_answering,
            ..self
        }
    }

    /// A new Worker in the store.
    pub(crate) async fn create(store: &FsStore, number: usize) -> Self {
        let worker_id = WorkerId::parse(&format!("w-{}", Uuid::now_v7())).unwrap();
        let at = Timestamp::now();
        let worker = Worker {
            runtime_id: RuntimeId::parse("bench").unwrap(),
            display_ref: format!("{worker_id}@bench"),
            worker_id: worker_id.clone(),
            display_name: (number == usize::MAX).then(String::new),
            status: WorkerStatus::Idle,
            profile: "echo".to_owned(),
            intent: None,
            labels: Default::default(),
            created_at: at,
            updated_at: at,
            transcript_length: 0,
            active_run: None,
            last_run: None,
        };
        let log = LogId {
            worker_id,
            life: Uuid::now_v7(),
        };
        let first = StoredEvent {
            seq: 1,
            at,
            event: Event::Snapshot {
                worker: Box::new(worker),
                transcript: Vec::new(),
                first_sequence: 1,
            },
        };
        let state = WorkerState::begin(&first).unwrap();
        let writer = Self {
            log,
            state,
            is_answering: false,
        };
        writer.commit(store, vec![first], Vec::new()).await;
        writer
    }

    /// An input of a hundred bytes, and that its run began: what is acknowledged with 202.
    pub(crate) async fn input(&mut self, store: &FsStore) -> RunId {
        let run_id = RunId::parse(&format!("run-{}", Uuid::now_v7())).unwrap();
        let entry = self.entry(Role::User, &run_id);
        let events = [
            Event::InputAccepted { entry },
            Event::RunStarted {
                run_id: run_id.clone(),
            },
            Event::StatusChanged {
                status: WorkerStatus::Running,
            },
        ];
        let keys = if self.is_answering {
            vec![self.answer(&run_id)]
        } else {
            Vec::new()
        };
        self.append(store, events.into(), keys).await;
        run_id
    }

    /// As long as a Runtime's answer to an input.
    fn answer(&self, run_id: &RunId) -> KeyRecord {
        let hash = |salt: u64| {
            let mut hash = [0; 32];
            let number = Uuid::now_v7().as_u128() as u64 ^ salt;
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash[..8].copy_from_slice(&mixed.to_le_bytes());
            hash[8..24].copy_from_slice(Uuid::now_v7().as_bytes());
            hash
        };
        let log = &self.log.worker_id;
        let answer = format!(
            "{{\"worker_id\":\"{log}\",\"run_id\":\"{run_id}\",{:100}}}",
            ""
        );
        KeyRecord {
            key: hash(1),
            body: hash(2),
            answer: answer.into(),
            at: Timestamp::now(),
        }
    }

    /// What the run said, as long as what it was told, and its end.
    pub(crate) async fn finish(&mut self, store: &FsStore, run_id: RunId) {
        let entry = self.entry(Role::Assistant, &run_id);
        let events = [
            Event::EntryAppended { entry },
            Event::RunFinished {
                run_id,
                outcome: Outcome::Completed,
                error: None,
            },
            Event::StatusChanged {
                status: WorkerStatus::Idle,
            },
        ];
        self.append(store, events.into(), Vec::new()).await;
    }

    fn entry(&self, role: Role, run_id: &RunId) -> Entry {
        Entry {
            sequence: self.state.worker.transcript_length + 1,
            role,
            content: "x".repeat(100),
            run_id: run_id.clone(),
            at: Timestamp::now(),
            redacted: false,
        }
    }

    async fn append(&mut self, store: &FsStore, events: Vec<Event>, keys: Vec<KeyRecord>) {
        let at = Timestamp::now();
        let mut stored = Vec::new();
        for event in events {
            let seq = self.state.seq + 1;
            let event = StoredEvent { seq, at, event };
            self.state.apply(&event).unwrap();
            stored.push(event);
        }
        self.commit(store, stored, keys).await;
    }

    async fn commit(&self, store: &FsStore, events: Vec<StoredEvent>, keys: Vec<KeyRecord>) {
        let record = Record {
            log: self.log.clone(),
            events,
            keys,
        };
        store
            .commit(record, Arc::new(self.state.clone()))
            .await
            .unwrap();
    }
}
