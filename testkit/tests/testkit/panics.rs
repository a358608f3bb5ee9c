//! A panic that nobody waits for fails the test all the same.

use std::time::Duration;

use worker_runtime::{Executor, ExecutorUnavailable, RunContext, RunFuture, RunOutput};
use yoi_client::Call;
use yoi_protocol::{CreateWorker, InputRequest, Outcome};
use yoi_testkit::{TestBackend, TestRuntime, TestRuntimeBuilder};

use crate::watch::{outcome, watch};

/// Its runs panic.
struct Clumsy;

impl Executor for Clumsy {
    fn name(&self) -> &'static str {
        "clumsy"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, _run: RunContext, _out: RunOutput) -> RunFuture {
        Box::pin(async { panic!("tripped over the carpet") })
    }
}

/// A Runtime on which a run has panicked, as the builder has it.
async fn tripped(builder: TestRuntimeBuilder) -> TestRuntime {
    let runtime = builder.executor(Clumsy).start().await;
    trip(&runtime).await;
    runtime
}

async fn trip(runtime: &TestRuntime) {
    let (workers, call) = (runtime.workers(), Call::default());
    let worker = workers.create(&CreateWorker::default(), &call).await;
    let worker = worker.unwrap().value.worker_id;
    let mut frames = watch(&workers, &worker).await;
    workers
        .input(&worker, &InputRequest::new("run!"), &call)
        .await
        .unwrap();
    assert_eq!(outcome(&mut frames).await.0, Outcome::Failed);
}

#[tokio::test]
#[should_panic(expected = "runtime clumsy-1 panicked in the background")]
async fn at_the_drop() {
    drop(tripped(TestRuntime::builder("clumsy-1")).await);
}

#[tokio::test]
#[should_panic(expected = "tripped over the carpet, at testkit/tests/testkit/panics.rs")]
async fn at_the_stop_with_what_was_said_and_where() {
    let runtime = tripped(TestRuntime::builder("clumsy-2")).await;
    runtime.stop().await;
}

#[tokio::test]
#[should_panic(expected = "runtime clumsy-3 panicked")]
async fn at_the_kill() {
    let runtime = tripped(TestRuntime::builder("clumsy-3")).await;
    runtime.kill().await;
}

#[tokio::test]
#[should_panic(expected = "what the test itself has to say")]
async fn but_not_over_what_the_test_says() {
    let _runtime = tripped(TestRuntime::builder("clumsy-4")).await;
    panic!("what the test itself has to say");
}

#[tokio::test]
async fn but_not_a_test_that_wants_it() {
    let runtime = tripped(TestRuntime::builder("clumsy-5").may_panic()).await;
    runtime.restart().await;
    runtime.stop().await;
}

#[tokio::test]
async fn and_not_the_neighbour() {
    let clumsy = TestRuntime::builder("clumsy-6").may_panic();
    let clumsy = clumsy.executor(Clumsy).start().await;
    // Of the same name, and there when it happens: it is not the name that tells them apart.
    let neighbour = TestRuntime::builder("clumsy-6").start().await;
    let backend = TestBackend::builder()
        .embedded("local")
        .remote(&neighbour)
        .start()
        .await;
    trip(&clumsy).await;
    backend.stop().await;
    neighbour.stop().await;
}

#[tokio::test]
#[should_panic(expected = "backend panicked in the background")]
async fn also_inside_a_backend() {
    let backend = TestBackend::builder()
        .embedded_with("local", |runtime| {
            runtime
                .profile("clumsy", worker_runtime::ProfileSpec::new(Clumsy))
                .default_profile("clumsy")
        })
        .start()
        .await;
    let (workers, call) = (backend.workers("local"), Call::default());
    let worker = workers.create(&CreateWorker::default(), &call).await;
    let worker = worker.unwrap().value.worker_id;
    let mut frames = watch(&workers, &worker).await;
    let input = InputRequest::new("run!");
    workers.input(&worker, &input, &call).await.unwrap();
    assert_eq!(outcome(&mut frames).await.0, Outcome::Failed);
}
