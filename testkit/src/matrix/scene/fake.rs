//! A Runtime behind a wire that is not there.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use yoi_protocol::{Code, Event, Frame, Operation};

use super::{Committed, injection};
use crate::matrix::ask::worker_of;
use crate::matrix::judge::Case;
use crate::matrix::stage::RUNTIME;
use crate::matrix::{Pace, Times};
use crate::{
    Canaries, FakeEventStream, FakeEvents, FakeRuntime, Family, Fault, FaultProxy, MountedStub,
    Stub, engine, fixtures,
};

/// A fake behind a link, and the run of the Worker that is watched.
pub(in crate::matrix) struct Fake {
    link: FaultProxy,
    /// Whether that run has begun.
    stirred: Arc<watch::Sender<bool>>,
    /// What is answered when nothing goes wrong.
    answers: Vec<MountedStub>,
    // Dropped before who is observed: an observer of the last moment is no surprise.
    fake: FakeRuntime,
    _observed: engine::Task<()>,
}

impl Fake {
    pub(super) async fn set(canaries: &mut Canaries, pace: &Pace) -> Self {
        let fake = FakeRuntime::builder(RUNTIME)
            .token(canaries.plant("the credential"))
            .start()
            .await;
        let link = FaultProxy::builder(&fake)
            .settings(|settings| settings.timeouts = pace.timeouts)
            .slow(pace.slow)
            .start()
            .await;
        // The Runtime, the link, and wherever a fault leads instead.
        canaries.watch("an address", "127.0.0.1");
        canaries.watch("a name", ".invalid");
        let stirred = Arc::new(watch::Sender::new(false));
        Self {
            _observed: engine::spawn(observed(fake.events(), Arc::clone(&stirred))).may_panic(),
            stirred,
            link,
            answers: Vec::new(),
            fake,
        }
    }

    pub(super) fn link(&self) -> &FaultProxy {
        &self.link
    }

    /// What came and nobody expected. The fake does not fail the test for it any more.
    pub(super) fn surprises(&self) -> Vec<String> {
        let surprises = self.fake.take_unexpected();
        surprises.iter().map(ToString::to_string).collect()
    }

    /// Lets the run begin that the watched Worker is to have.
    pub(super) fn stir(&self) {
        self.stirred.send_replace(true);
    }

    pub(super) async fn prepare(&mut self, fault: Fault, operations: &[Operation]) {
        // What a coded fault says is answered in the place of these: it mounts them after itself.
        if fault.family() == Family::Coded {
            return;
        }
        for operation in operations {
            self.answers.extend(self.success(*operation).await);
        }
    }

    pub(super) async fn commit(&self, case: Case) -> Committed {
        match case.fault {
            Fault::Coded(code) if case.operation != Operation::Events => {
                let refusal = self.refusal(case, code).await;
                Committed::Said {
                    refusal,
                    _success: self.success(case.operation).await,
                }
            }
            _ => Committed::OnTheLink(self.link.inject(injection(case))),
        }
    }

    async fn refusal(&self, case: Case, code: Code) -> MountedStub {
        let (fake, worker) = (&self.fake, worker_of(case.operation));
        let worker = worker.as_str();
        let times = case.times;
        match case.operation {
            Operation::ListWorkers => refusing(fake.list_workers(), code, times).await,
            Operation::GetWorker => refusing(fake.get_worker(worker), code, times).await,
            Operation::CreateWorker => refusing(fake.create_worker(), code, times).await,
            Operation::SendInput => refusing(fake.send_input(worker), code, times).await,
            Operation::Cancel => refusing(fake.cancel(worker), code, times).await,
            Operation::Stop => refusing(fake.stop(worker), code, times).await,
            Operation::Transcript => refusing(fake.transcript(worker), code, times).await,
            Operation::Events => panic!("an observer is refused on the link"),
        }
    }

    /// The fixture of an operation; the events have their own.
    async fn success(&self, operation: Operation) -> Option<MountedStub> {
        let (fake, worker) = (&self.fake, worker_of(operation));
        let worker = worker.as_str();
        Some(match operation {
            Operation::ListWorkers => fake.list_workers().any_times().mount().await,
            Operation::GetWorker => fake.get_worker(worker).any_times().mount().await,
            Operation::CreateWorker => fake.create_worker().any_times().mount().await,
            Operation::SendInput => fake.send_input(worker).any_times().mount().await,
            Operation::Cancel => fake.cancel(worker).any_times().mount().await,
            Operation::Stop => fake.stop(worker).any_times().mount().await,
            Operation::Transcript => fake.transcript(worker).any_times().mount().await,
            Operation::Events => return None,
        })
    }
}

async fn refusing<T>(stub: Stub<T>, code: Code, times: Times) -> MountedStub
where
    T: serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    let stub = stub.refuses(code);
    match times {
        Times::Always => stub.any_times().mount().await,
        Times::Once => stub.first(1).mount().await,
    }
}

/// Tells whoever observes of a Worker that is new, and of its one run when that begins.
async fn observed(mut observers: FakeEvents, stirred: Arc<watch::Sender<bool>>) {
    let mut told = JoinSet::new();
    loop {
        let observer = observers.accept().await;
        // Whoever is gone in the middle met the fault.
        told.spawn(tell(observer, stirred.subscribe()));
    }
}

async fn tell(mut observer: FakeEventStream, mut stirred: watch::Receiver<bool>) -> Option<()> {
    let told = observer.resumes_after().unwrap_or(0);
    let mut past = Vec::new();
    if told == 0 {
        past.push(observer.frame_of(1, observer.snapshot()));
    }
    past.push(fixtures::frames::caught_up());
    for frame in past {
        observer.try_send(&frame).await.then_some(())?;
    }
    stirred.wait_for(|stirred| *stirred).await.ok()?;
    for (seq, event) in (2..).zip(run()).filter(|(seq, _)| *seq > told) {
        let frame = observer.frame_of(seq, event);
        observer.try_send(&frame).await.then_some(())?;
    }
    observer.until_gone().await;
    Some(())
}

/// The events of one run, after the snapshot.
fn run() -> Vec<Event> {
    use fixtures::frames::{
        entry_appended, input_accepted, run_finished, run_started, status_changed,
    };
    let frames = [
        input_accepted(),
        run_started(),
        status_changed(),
        entry_appended(),
        run_finished(),
    ];
    let event = |frame| match frame {
        Frame::Event(frame) => frame.event,
        Frame::Delta(_) | Frame::Control(_) | Frame::Diagnostic(_) => {
            panic!("these fixtures are events")
        }
    };
    frames.into_iter().map(event).collect()
}
