//! Stopped Workers are forgotten in their time, by the Runtime and by its store.

use std::sync::Arc;
use std::time::Duration;

use worker_runtime::{Runtime, RuntimeError, Store};
use yoi_protocol::{CreateWorker, Timestamp};

use crate::common::{ManualClock, PATIENCE, TestStore, builder, create, id, keyed, stop};

const RETAINED: Duration = Duration::from_millis(604_800_000);

async fn with_one_stopped() -> (Runtime, Arc<TestStore>, Arc<ManualClock>) {
    let (store, clock) = (TestStore::new(), ManualClock::new());
    let builder = builder().store(store.clone()).clock(clock.clone());
    let runtime = builder.start().await.unwrap();
    create(&runtime, "stays").await;
    create(&runtime, "goes").await;
    stop(&runtime, "goes").await;
    assert_eq!(logs(&store), ["stays", "goes"]);
    (runtime, store, clock)
}

/// Whose logs the store holds, in the order of their first records.
fn logs(store: &TestStore) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for record in store.records() {
        let name = record.log.worker_id.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

async fn until_forgotten(store: &TestStore) {
    let waits = async {
        while logs(store) != ["stays"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let forgotten = tokio::time::timeout(PATIENCE, waits).await;
    forgotten.unwrap_or_else(|_| panic!("the store still holds {:?}", logs(store)));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_makes_the_store_forget_what_is_due() {
    let (runtime, store, clock) = with_one_stopped().await;
    clock.advance(RETAINED);
    let gone = runtime.get_worker(&id("goes")).await;
    assert_eq!(gone, Err(RuntimeError::WorkerNotFound));
    until_forgotten(&store).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_forgotten_also_while_nobody_asks() {
    let (runtime, store, clock) = with_one_stopped().await;
    clock.advance(RETAINED - Duration::from_millis(1));
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(logs(&store), ["stays", "goes"], "it is not due");
    clock.advance(Duration::from_millis(1));
    // Nothing but time: a minute at most until somebody looks.
    tokio::time::sleep(Duration::from_secs(60)).await;
    until_forgotten(&store).await;
    drop(runtime);
}

#[tokio::test(start_paused = true)]
async fn answers_are_dropped_also_while_nobody_asks() {
    let (store, clock) = (TestStore::new(), ManualClock::new());
    let builder = builder().store(store.clone()).clock(clock.clone());
    let runtime = builder.start().await.unwrap();
    let request = CreateWorker::default();
    runtime.create_worker(request, keyed("once")).await.unwrap();
    let held = || store.expire_answers(Timestamp::from_unix_ms(0));
    clock.advance(Duration::from_millis(24 * 60 * 60 * 1_000 - 1));
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(held(), 1, "it is given again");
    clock.advance(Duration::from_millis(1));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(held(), 0);
    drop(runtime);
}
