//! The first test: ten lines, with a Runtime that is not there.

use yoi_downstream::{AskError, HelpDesk};
use yoi_protocol::{Code, RuntimeId, WorkerId};
use yoi_testkit::{FakeRuntime, TestBackend};

#[tokio::test]
async fn a_busy_worker_is_not_asked() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let desk = HelpDesk::new(&backend.client(), RuntimeId::parse("gpu-1").unwrap());
    let worker = WorkerId::parse("w-1").unwrap();

    let busy = fake
        .send_input("w-1")
        .refuses(Code::WorkerBusy)
        .times(1)
        .mount()
        .await;

    let error = desk.ask(&worker, "are you there?").await.unwrap_err();
    assert!(matches!(error, AskError::NotAsked(failure) if failure.code == Code::WorkerBusy));
    busy.verify();
}
