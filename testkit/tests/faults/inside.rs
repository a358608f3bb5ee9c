//! Faults inside a Runtime, remote and embedded alike.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use yoi_client::{Call, CallError, RetryPolicy, Workers};
use yoi_protocol::{
    CancelRequest, Code, CreateWorker, Effect, Failure, IdempotencyKey, InputRequest, ListQuery,
    Operation, StopRequest, StreamEnd, TranscriptQuery, WorkerId,
};
use yoi_testkit::{
    Family, Fault, InjectedRuntimeFault, RuntimeFaults, TestBackend, TestRuntime, eventually,
};

use crate::rig::{PATIENCE, PATIENT, compare};

async fn ask(workers: &Workers, operation: Operation, id: &WorkerId) -> Result<(), Failure> {
    // As a Backend does: every command has a key.
    let key = IdempotencyKey::parse(&format!("{operation}-{id}")).unwrap();
    let call = Call {
        key: Some(key),
        ..Call::default()
    };
    let told: Result<(), CallError> = match operation {
        Operation::ListWorkers => workers.list(&ListQuery::default(), &call).await.map(drop),
        Operation::GetWorker => workers.get(id, &call).await.map(drop),
        Operation::CreateWorker => workers
            .create(&CreateWorker::default(), &call)
            .await
            .map(drop),
        Operation::SendInput => workers
            .input(id, &InputRequest::new("hi"), &call)
            .await
            .map(drop),
        Operation::Cancel => workers
            .cancel(id, &CancelRequest::default(), &call)
            .await
            .map(drop),
        Operation::Stop => workers
            .stop(id, &StopRequest::default(), &call)
            .await
            .map(drop),
        Operation::Transcript => workers
            .transcript(id, &TranscriptQuery::default(), &call)
            .await
            .map(drop),
        Operation::Events => {
            let mut stream = workers.events(id, None, &call).await?;
            match stream.next().await {
                Ok(_) => Ok(()),
                Err(StreamEnd::Failed(failure)) => return Err(failure),
                Err(end) => panic!("{end:?}"),
            }
        }
    };
    told.map_err(Failure::from)
}

async fn worker(workers: &Workers) -> WorkerId {
    let made = workers
        .create(&CreateWorker::default(), &Call::default())
        .await;
    made.unwrap().value.worker_id
}

/// Commands and reads that the faults of this family are about.
const ASKED: [Operation; 5] = [
    Operation::CreateWorker,
    Operation::SendInput,
    Operation::Transcript,
    Operation::Events,
    Operation::GetWorker,
];

/// Insides of a Runtime that waits long for its store: only what hangs is to take too long.
fn patient() -> RuntimeFaults {
    RuntimeFaults::new().operation_timeout(PATIENCE)
}

fn hangs(fault: Fault) -> bool {
    matches!(fault, Fault::WriteHangs | Fault::ReadHangs)
}

/// Each of these faults happens to what it can happen to, and is over afterwards.
async fn each(
    insides: &RuntimeFaults,
    faults: impl Fn(&Fault) -> bool,
    workers: &Workers,
    restart: impl AsyncFn(),
) {
    // Who shuts down is not well again afterwards: a test of its own.
    let passes = |fault: &Fault| *fault != Fault::RuntimeDrains;
    let inside = Fault::all().filter(|fault| fault.family() == Family::Runtime && faults(fault));
    for fault in inside.filter(passes) {
        for operation in ASKED.into_iter().filter(|asked| fault.applies_to(*asked)) {
            if matches!(fault, Fault::ClockStepsBack | Fault::ClockLeapsAhead)
                && !operation.is_command()
            {
                // Nobody looks at the clock to read.
                continue;
            }
            let fresh = worker(workers).await;
            let harm: InjectedRuntimeFault<'_> = insides.inject(fault, workers).await;
            compare(fault, operation, ask(workers, operation, &fresh).await);
            assert!(harm.fired() > 0, "{fault} on {operation}");
            harm.undo().await;
            if fault == Fault::StoreUncertain {
                restart().await;
            }
            eventually("it is well again", async || {
                let fresh = worker(workers).await;
                ask(workers, operation, &fresh).await
            })
            .await;
        }
    }
}

#[tokio::test]
async fn of_a_runtime_with_a_server() {
    of_a_server(&patient(), |fault| !hangs(*fault)).await;
}

#[tokio::test]
async fn of_a_runtime_with_a_server_whose_store_hangs() {
    let insides = RuntimeFaults::new().operation_timeout(Duration::from_millis(1500));
    of_a_server(&insides, |fault| hangs(*fault)).await;
}

async fn of_a_server(insides: &RuntimeFaults, faults: impl Fn(&Fault) -> bool) {
    let runtime: TestRuntime = insides.runtime("gpu-1").start().await;
    let client = runtime
        .client_builder()
        .retry(RetryPolicy::NEVER)
        .timeouts(PATIENT)
        .build()
        .unwrap();
    let workers = client.workers(yoi_protocol::Api::Runtime);
    each(insides, faults, &workers, async || runtime.restart().await).await;
}

#[tokio::test]
async fn of_a_runtime_that_shuts_down() {
    let (insides, other) = (patient(), patient());
    let runtime = insides.runtime("gpu-1").start().await;
    let backend = TestBackend::builder()
        .embedded_with("local", |runtime| other.install(runtime))
        .remote(&runtime)
        .retry(RetryPolicy::NEVER)
        .start()
        .await;
    let drains = Fault::RuntimeDrains;
    for id in ["local", "gpu-1"] {
        let workers = backend.workers(id);
        let idle = worker(&workers).await;
        let harm = match id {
            "local" => other.inject(drains, backend.inside(id)).await,
            _ => insides.inject(drains, &runtime).await,
        };
        for operation in Operation::ALL {
            let told = ask(&workers, *operation, &idle).await;
            match operation {
                // The end of a stream has no room for a reason.
                Operation::Events => {
                    assert_eq!(told.unwrap_err().code, Code::RuntimeUnavailable);
                }
                _ => compare(drains, *operation, told),
            }
        }
        drop(harm);
    }
    runtime.restart().await;
    worker(&backend.workers("gpu-1")).await;
}

#[tokio::test]
#[should_panic(expected = "runtime_drains needs the Runtime itself")]
async fn nobody_shuts_down_through_an_api() {
    let insides = patient();
    let runtime = insides.runtime("gpu-1").start().await;
    let workers = runtime.workers();
    let _ = insides.inject(Fault::RuntimeDrains, &workers).await;
}

#[tokio::test]
async fn of_a_runtime_inside_a_backend() {
    let insides = patient();
    let backend = TestBackend::builder()
        .embedded_with("local", |runtime| insides.install(runtime))
        .start()
        .await;
    let workers = backend.workers("local");
    for fault in [
        Fault::StoreRefuses,
        Fault::WorkersAtLimit,
        Fault::RunsAtLimit,
    ] {
        let operation = match fault {
            Fault::RunsAtLimit => Operation::SendInput,
            _ => Operation::CreateWorker,
        };
        let fresh = worker(&workers).await;
        let harm = insides.inject(fault, &workers).await;
        compare(fault, operation, ask(&workers, operation, &fresh).await);
        harm.undo().await;
        ask(&workers, operation, &fresh).await.unwrap();
    }
    let harm = insides.inject(Fault::StreamsAtLimit, &workers).await;
    let fresh = worker(&workers).await;
    let failure = ask(&workers, Operation::Events, &fresh).await.unwrap_err();
    assert_eq!(
        failure.with_effect(Effect::None).code.as_str(),
        "limit_reached"
    );
    harm.undo().await;
}

#[tokio::test]
async fn one_that_never_happened_fails_the_test() {
    let insides = patient();
    let runtime = insides.runtime("gpu-1").start().await;
    let test = async {
        let harm = insides
            .inject(Fault::StoreRefuses, &runtime.workers())
            .await;
        harm.undo().await;
    };
    let panic = AssertUnwindSafe(test).catch_unwind().await.unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert_eq!(said, "store_refuses never happened inside the runtime");
    worker(&runtime.workers()).await;
}
