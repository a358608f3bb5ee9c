//! A whole test.

use yoi_protocol::{Code, InputRequest};
use yoi_testkit::{FakeRuntime, TestBackend};

#[tokio::test]
async fn a_busy_worker_is_told_as_busy() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let stub = fake
        .send_input("w-1")
        .refuses(Code::WorkerBusy)
        .mount()
        .await;

    let path = "/api/runtimes/gpu-1/workers/w-1/input";
    let reply = backend
        .browser()
        .ask("POST", path)
        .json(&InputRequest::new("hi"))
        .await;

    assert_eq!(reply.expect(409).problem().code, Code::WorkerBusy);
    assert_eq!(stub.received().len(), 1);
}
