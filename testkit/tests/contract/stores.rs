//! The stores of this project keep what every store guarantees.

use std::sync::Arc;

use worker_runtime::{MemoryStore, Store};
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
