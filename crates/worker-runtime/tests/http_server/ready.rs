//! Whether it can serve, as a supervisor is told.

use std::sync::Arc;

use worker_runtime::{Store, StoreError};
use yoi_protocol::{Code, Effect};
use yoi_testkit::TestStore;

use crate::support::Served;

async fn on(store: &Arc<TestStore>) -> Served {
    let kept = Arc::clone(store) as Arc<dyn Store>;
    Served::with(|setup| setup.store = Some(kept)).await
}

#[tokio::test]
async fn it_is_not_while_the_store_is_damaged_and_goes_on_nevertheless() {
    let store = TestStore::new();
    let served = on(&store).await;
    assert_eq!(served.get("/readyz").await.status.as_u16(), 200);
    store.damage();
    served.get("/readyz").await.problem(Code::Unavailable);
    served.worker("w-1", "echo").await;
    served.input("w-1").await;
    let info = served.get("/v1/runtime").await.value(200);
    assert_eq!(info["diagnostics"][0]["code"], "store_damaged");
    store.heal();
    assert_eq!(served.get("/readyz").await.status.as_u16(), 200);
}

#[tokio::test]
async fn it_is_not_once_the_store_has_failed_and_takes_no_commands() {
    let store = TestStore::new();
    let served = on(&store).await;
    served.worker("w-1", "echo").await;
    store.fail_once(StoreError::Uncertain("the fsync failed"));
    let first = served.post("/v1/workers", "{}").await;
    assert_eq!(
        first.problem(Code::StoreFailed).effect,
        Some(Effect::Unknown)
    );
    served.get("/readyz").await.problem(Code::Unavailable);
    let next = served.post("/v1/workers", "{}").await;
    assert_eq!(next.problem(Code::StoreFailed).effect, Some(Effect::None));
    served.get("/v1/workers/w-1").await.value(200);
}
