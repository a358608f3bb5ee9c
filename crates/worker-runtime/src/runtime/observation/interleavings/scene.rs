//! A Worker whose run speaks, one step at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use yoi_interleavings::{Step, Until, set};
use yoi_protocol::{
    Event, Outcome, Role, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus,
};

use crate::clock::Clock;
use crate::fold::WorkerState;
use crate::runtime::Runtime;
use crate::runtime::decide::{self, Ending};
use crate::runtime::slot::{Piece, Slot};
use crate::store::{LogId, Record, StoredEvent};

/// A Worker whose run has been given an input and has said `a`, and what it says and does next.
pub(super) struct Scene {
    /// Has what the Runtime does in the background, which is never done, and ends with it.
    _tokio: tokio::runtime::Runtime,
    pub(super) runtime: Runtime,
    pub(super) slot: Arc<Slot>,
    run_id: RunId,
    /// Where the Worker is.
    state: Arc<WorkerState>,
    /// What the run has said since its last entry.
    said: String,
}

/// The last event before anybody comes: a snapshot, and three of the input.
pub(super) const BEFORE: u64 = 4;

fn at() -> Timestamp {
    Timestamp::from_unix_ms(0)
}

/// Time that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        at()
    }
}

impl Scene {
    pub(super) async fn start() -> Self {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let runtime = {
            let _context = tokio.enter();
            let builder = Runtime::builder(RuntimeId::parse("r").unwrap());
            set(builder.clock(Arc::new(Still)).start()).unwrap()
        };
        let (log, born) = born();
        let state = Arc::new(WorkerState::begin(&born).unwrap());
        let record = Record {
            log: log.clone(),
            events: vec![born],
            keys: Vec::new(),
        };
        let inner = &runtime.inner;
        inner.write(record, Arc::clone(&state)).await.unwrap();
        let slot = Arc::new(Slot::new(log, Arc::clone(&state), None));
        inner.catalog_mut().insert(w(), Arc::clone(&slot));
        let mut scene = Self {
            _tokio: tokio,
            runtime,
            slot,
            run_id: RunId::parse("run").unwrap(),
            state,
            said: String::new(),
        };
        let input = decide::input(&scene.state, "go".to_owned(), &scene.run_id, at());
        scene.commit(input.unwrap()).await;
        scene.take(Step::Say("a")).await;
        scene
    }

    /// How far an observer gets that is told all of `steps`.
    pub(super) fn after(&self, steps: &[Step]) -> Until {
        Until::after(self.state.seq, &self.said, steps)
    }

    pub(super) async fn take(&mut self, step: Step) {
        let events = match step {
            Step::Say(piece) => {
                self.said.push_str(piece);
                self.slot.say(Piece::Text(piece));
                return;
            }
            Step::Append => {
                let said = std::mem::take(&mut self.said);
                let entry = decide::entry(&self.state, Role::Assistant, said, &self.run_id, at());
                vec![Event::EntryAppended { entry }]
            }
            Step::Stop => {
                let said = std::mem::take(&mut self.said);
                let ending = Ending {
                    outcome: Outcome::Completed,
                    error: None,
                };
                decide::finish(&self.state, &self.run_id, said, ending, Some(None), at())
            }
        };
        self.commit(events).await;
    }

    async fn commit(&mut self, events: Vec<Event>) {
        let _gate = self.slot.gate.lock().await;
        let inner = &self.runtime.inner;
        let draft = inner.draft(&self.slot, at(), events).unwrap();
        self.state = Arc::clone(&draft.next);
        inner.commit(&self.slot, draft, Vec::new()).await.unwrap();
    }
}

pub(super) fn w() -> WorkerId {
    WorkerId::parse("w").unwrap()
}

fn born() -> (LogId, StoredEvent) {
    let worker = Worker {
        runtime_id: RuntimeId::parse("r").unwrap(),
        worker_id: w(),
        display_name: None,
        display_ref: "w@r".to_owned(),
        status: WorkerStatus::Idle,
        profile: "echo".to_owned(),
        intent: None,
        labels: BTreeMap::new(),
        created_at: at(),
        updated_at: at(),
        transcript_length: 0,
        active_run: None,
        last_run: None,
    };
    let log = LogId {
        worker_id: w(),
        life: uuid::Uuid::from_u128(1),
    };
    let born = StoredEvent {
        seq: 1,
        at: at(),
        event: decide::create(worker),
    };
    (log, born)
}
