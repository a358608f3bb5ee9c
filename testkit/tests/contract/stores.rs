//! The stores of this project keep what every store guarantees.

use std::sync::Arc;

use worker_runtime::{MemoryStore, Store, StoreError};
use yoi_testkit::TestStore;
use yoi_testkit::contract::store;

#[tokio::test]
async fn the_memory_store() {
    store::check(async || Arc::new(MemoryStore::new(1_000, 1 << 30)) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn the_test_store() {
    store::check_durable(async || TestStore::new(), async |store| store.reopened()).await;
}

#[tokio::test]
async fn the_test_store_that_crashes() {
    store::check_crash(async || TestStore::new(), async |store| store.reopened()).await;
}

#[tokio::test]
async fn the_test_store_that_cannot_tell() {
    let reopen = async |store: Arc<TestStore>| store.reopened();
    let lose = |store: &TestStore| store.fail_once(StoreError::Uncertain("the fsync failed"));
    store::check_uncertain(async || TestStore::new(), lose, reopen).await;
    let keep = |store: &TestStore| store.fail_once_but_keep("the fsync failed");
    store::check_uncertain(async || TestStore::new(), keep, reopen).await;
}

#[tokio::test]
async fn stores_that_give_up_the_oldest() {
    for (events, bytes) in [
        (1, u64::MAX),
        (9, u64::MAX),
        (400, u64::MAX),
        (1_000, 20_000),
    ] {
        let memory = async || Arc::new(MemoryStore::new(events, bytes)) as Arc<dyn Store>;
        store::check_bounded(memory).await;
        let open = async || TestStore::bounded(events, bytes);
        store::check_durable_bounded(open, async |store| store.reopened()).await;
    }
}
