//! The Runtime of a stage, and how the fault is committed there.

mod embedded;
mod fake;
mod remote;

use yoi_client::{Call, Workers};
use yoi_protocol::{CreateWorker, InputRequest, Operation};

use super::ask::worker_of;
use super::judge::Case;
use super::truth::Truth;
use super::{Pace, Place, Tries};
use crate::{
    Canaries, Exchange, Family, Fault, InjectedFault, InjectedRuntimeFault, Injection, MountedStub,
    RuntimeFaults, TestBackend, TestBackendBuilder,
};

use embedded::Embedded;
use fake::Fake;
use remote::Remote;

/// The Runtime of a stage.
pub(super) enum Scene {
    Embedded(Embedded),
    Remote(Box<Remote>),
    Fake(Box<Fake>),
}

/// A fault that happens for as long as this is held.
pub(super) enum Committed {
    /// On the link.
    OnTheLink(InjectedFault),
    /// In the mouth of a fake.
    Said {
        refusal: MountedStub,
        _success: Option<MountedStub>,
    },
    /// Inside the Runtime, for the whole stage.
    Inside,
}

/// How often an operation was tried.
fn tries(exchanges: &[Exchange], operation: Operation) -> Tries {
    let these = || {
        let meant = |exchange: &&Exchange| exchange.operation == Some(operation);
        exchanges.iter().filter(meant)
    };
    Tries {
        tried: these().count(),
        arrived: these().filter(|exchange| exchange.forwarded).count(),
    }
}

impl Scene {
    /// Sets a Runtime up, and a Backend that is pointed at it.
    pub(super) async fn set(
        place: Place,
        canaries: &mut Canaries,
        pace: &Pace,
    ) -> (Self, TestBackendBuilder) {
        let builder = TestBackend::builder();
        match place {
            Place::Embedded => {
                let (scene, builder) = Embedded::set(builder, pace);
                (Self::Embedded(scene), builder)
            }
            Place::Remote => {
                let scene = Remote::set(canaries, pace).await;
                let builder = builder.remote(scene.link());
                (Self::Remote(Box::new(scene)), builder)
            }
            Place::Fake => {
                let scene = Fake::set(canaries, pace).await;
                let builder = builder.fake(scene.link());
                (Self::Fake(Box::new(scene)), builder)
            }
        }
    }

    /// Makes the Workers that the operations are about. Says which of them is not made in the short
    /// time of a fault that has not happened yet.
    pub(super) async fn prepare(
        &mut self,
        backend: &TestBackend,
        fault: Fault,
        operations: &[Operation],
    ) -> Result<(), String> {
        match self {
            Self::Embedded(scene) => scene.prepare(backend, operations).await,
            Self::Remote(scene) => scene.prepare(operations).await,
            Self::Fake(scene) => {
                scene.prepare(fault, operations).await;
                Ok(())
            }
        }
    }

    /// Lets a fault inside the Runtime happen, to all that is asked of it.
    pub(super) async fn harm(
        &self,
        backend: &TestBackend,
        fault: Fault,
    ) -> Option<InjectedRuntimeFault<'_>> {
        match self {
            _ if fault.family() != Family::Runtime => None,
            Self::Embedded(scene) => Some(scene.insides().inject(fault, scene.site(backend)).await),
            Self::Remote(scene) => Some(scene.insides().inject(fault, scene.runtime()).await),
            Self::Fake(_) => None,
        }
    }

    /// Lets a fault on the link happen to this operation.
    pub(super) async fn commit(&self, case: Case) -> Committed {
        match self {
            _ if case.fault.family() == Family::Runtime => Committed::Inside,
            Self::Embedded(_) => Committed::Inside,
            Self::Remote(scene) => scene.commit(case),
            Self::Fake(scene) => scene.commit(case).await,
        }
    }

    /// Lets the Worker that is watched have a run.
    pub(super) async fn stir(&self) {
        match self {
            Self::Embedded(scene) => begun(scene.workers()).await,
            Self::Remote(scene) => begun(scene.workers()).await,
            Self::Fake(scene) => scene.stir(),
        }
    }

    /// What repeats the chance of the link, if there is one.
    pub(super) fn seed(&self) -> Option<u64> {
        match self {
            Self::Embedded(_) => None,
            Self::Remote(scene) => Some(scene.link().seed()),
            Self::Fake(scene) => Some(scene.link().seed()),
        }
    }

    /// How often an operation was tried over the link, if there is one.
    pub(super) fn tries(&self, operation: Operation) -> Option<Tries> {
        let exchanges = match self {
            Self::Embedded(_) => return None,
            Self::Remote(scene) => scene.link().exchanges(),
            Self::Fake(scene) => scene.link().exchanges(),
        };
        Some(tries(&exchanges, operation))
    }

    /// What came to it and should not have.
    pub(super) fn surprises(&self) -> Vec<String> {
        match self {
            Self::Embedded(_) | Self::Remote(_) => Vec::new(),
            Self::Fake(scene) => scene.surprises(),
        }
    }

    /// Who knows what the commands did in truth.
    pub(super) fn truth(&self, backend: &TestBackend) -> Option<Truth> {
        match self {
            Self::Embedded(scene) => scene.site(backend).runtime().cloned().map(Truth),
            Self::Remote(scene) => scene.runtime().runtime().map(Truth),
            Self::Fake(_) => None,
        }
    }
}

impl Committed {
    /// How often it happened.
    pub(super) fn fired(&self) -> usize {
        match self {
            Self::OnTheLink(injected) => injected.fired(),
            Self::Said { refusal, .. } => refusal.received().len(),
            // The harm says itself, as the stage ends, when it was never met.
            Self::Inside => 1,
        }
    }
}

/// The fault of a case, as it is injected on a link.
fn injection(case: Case) -> Injection {
    let injection = case.fault.on(case.operation);
    match case.times {
        // A stream that is opened again would be struck again, and that is not told apart.
        super::Times::Always if case.fault.family() != Family::Stream => injection,
        super::Times::Always | super::Times::Once => injection.first(1),
    }
}

/// Makes the Workers that the operations are about: idle ones, but for the one that is cancelled.
async fn people(workers: &Workers, operations: &[Operation]) -> Result<(), String> {
    for operation in operations {
        let worker_id = worker_of(*operation);
        let mut body = CreateWorker {
            worker_id: Some(worker_id.clone()),
            ..CreateWorker::default()
        };
        match operation {
            Operation::CreateWorker => continue,
            Operation::Cancel => body.profile = Some(RuntimeFaults::ENDLESS.to_owned()),
            Operation::ListWorkers
            | Operation::GetWorker
            | Operation::SendInput
            | Operation::Stop
            | Operation::Transcript
            | Operation::Events => {}
        }
        let call = Call::default();
        let created = workers.create(&body, &call).await;
        created.map_err(|error| format!("{worker_id} is not created: {error}"))?;
        if *operation == Operation::Cancel {
            send(workers, *operation).await?;
        }
    }
    Ok(())
}

/// Begins the run of the Worker that is watched.
async fn begun(workers: &Workers) {
    let sent = send(workers, Operation::Events).await;
    sent.unwrap_or_else(|error| panic!("{error}"));
}

/// Begins a run of an operation's Worker.
async fn send(workers: &Workers, operation: Operation) -> Result<(), String> {
    let (worker_id, input) = (worker_of(operation), InputRequest::new("hi"));
    let sent = workers.input(&worker_id, &input, &Call::default()).await;
    sent.map_err(|error| format!("{worker_id} takes no input: {error}"))?;
    Ok(())
}
