//! A help desk is tested with the testkit, one tool in each file.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod fake;
mod first;
mod link;
mod properties;
mod restart;
mod scripted;
mod secrets;
mod store;

use yoi_client::Call;
use yoi_downstream::HelpDesk;
use yoi_protocol::{CreateWorker, RuntimeId, WorkerId};
use yoi_testkit::TestBackend;

/// A desk in front of `gpu-1`, the one Runtime that each of these Backends has.
fn desk_before(backend: &TestBackend) -> HelpDesk {
    HelpDesk::new(&backend.client(), RuntimeId::parse("gpu-1").unwrap())
}

/// A new Worker of it.
async fn worker_of(backend: &TestBackend) -> WorkerId {
    let (plain, call) = (CreateWorker::default(), Call::default());
    let created = backend.workers("gpu-1").create(&plain, &call).await;
    created.unwrap().value.worker_id
}
