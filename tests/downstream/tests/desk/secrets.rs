//! Whatever goes wrong, no error of the desk shows where a Runtime lives or what opens it.

use yoi_testkit::{Canaries, Fault, FaultProxy, TestBackend, TestRuntime};

use crate::{desk_before, worker_of};

#[tokio::test]
async fn no_error_shows_a_secret() {
    let mut canaries = Canaries::new();
    let token = canaries.plant("the runtime's token");
    let runtime = TestRuntime::builder("gpu-1").token(token).start().await;
    let link = FaultProxy::to(&runtime).await;
    canaries.watch("the runtime's address", &runtime.address().to_string());
    canaries.watch(
        "the address that the Backend knows",
        &link.address().to_string(),
    );
    let backend = TestBackend::builder().remote(&link).start().await;
    let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);

    for fault in [
        Fault::NameDoesNotResolve,
        Fault::Redirected,
        Fault::NotJson,
        Fault::AnotherRuntimesAnswer,
        Fault::Uncoded(401),
    ] {
        let harm = link.inject(fault);
        let error = desk.ask(&worker, "where do you live?").await.unwrap_err();
        canaries.check_error(fault.name(), &error);
        harm.undo();
    }
}
