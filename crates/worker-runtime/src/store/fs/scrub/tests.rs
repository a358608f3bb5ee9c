use std::sync::Arc;

use uuid::Uuid;
use yoi_protocol::{Event, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus};

use super::*;
use crate::fold::WorkerState;
use crate::store::fs::{FsOptions, FsStore, Maintenance, Retention};
use crate::store::{Condition, LogId, Record, Store, StoredEvent};

/// One Worker whose past is given up as it goes on.
async fn go_on(store: &FsStore, log: &LogId, state: &mut Option<WorkerState>, count: u64) {
    for _ in 0..count {
        let seq = state.as_ref().map_or(1, |state| state.seq + 1);
        let at = Timestamp::from_unix_ms(1_700_000_000_000);
        let event = match state {
            None => snapshot(log, at),
            Some(_) => Event::Diagnostic {
                severity: yoi_protocol::Severity::Info,
                code: "said".to_owned(),
                message: "x".repeat(200),
            },
        };
        let event = StoredEvent { seq, at, event };
        match state {
            Some(state) => state.apply(&event).expect("it follows"),
            None => *state = Some(WorkerState::begin(&event).expect("a begin")),
        }
        let record = Record {
            log: log.clone(),
            events: vec![event],
            keys: Vec::new(),
        };
        let after = Arc::new(state.clone().expect("begun"));
        store.commit(record, after).await.expect("kept");
    }
}

fn snapshot(log: &LogId, at: Timestamp) -> Event {
    let worker = Worker {
        runtime_id: RuntimeId::parse("rt-1").expect("an id"),
        worker_id: log.worker_id.clone(),
        display_name: None,
        display_ref: "w@rt-1".to_owned(),
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
    Event::Snapshot {
        worker: Box::new(worker),
        transcript: Vec::new(),
        first_sequence: 1,
    }
}

#[tokio::test]
async fn a_segment_that_is_replaced_while_it_is_read_is_read_from_its_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = FsOptions::new(RuntimeId::parse("rt-1").expect("an id"))
        .segment_bytes(4096)
        .maintenance(Maintenance::Manual)
        .retention(Retention {
            max_worker_events: 60,
            max_worker_bytes: u64::MAX,
            max_age_ms: None,
            max_bytes: None,
        });
    let store = FsStore::open(folder.path(), options).expect("a store");
    let log = LogId {
        worker_id: WorkerId::parse("w").expect("an id"),
        life: Uuid::from_u128(1),
    };
    let mut state = None;
    go_on(&store, &log, &mut state, 60).await;
    let mut replaced = 0;
    for _ in 0..30 {
        // Wherever a round is when segments are made one.
        let mut scrub = Scrub {
            at: None,
            piece_bytes: 512,
        };
        for steps in 0..6 {
            for _ in 0..steps {
                scrub.step(&store.shared).expect("nothing is damaged");
            }
            let before: Vec<u32> = store.shared.index().sealed.keys().copied().collect();
            go_on(&store, &log, &mut state, 12).await;
            store.maintain().await;
            let index = store.shared.index();
            replaced += before
                .iter()
                .filter(|one| !index.sealed.contains_key(one))
                .count();
            drop(index);
            scrub.step(&store.shared).expect("nothing is damaged");
        }
        while !scrub.step(&store.shared).expect("nothing is damaged") {}
    }
    assert!(replaced > 0, "no segment was replaced");
    assert_eq!(store.condition(), Condition::Sound);
}
