//! A Runtime, a link to it that can go wrong, and the handle with which a Backend takes it.

use std::time::Duration;

use tokio::time::timeout;
use yoi_client::{Call, RetryPolicy, Timeouts};
use yoi_protocol::{
    CancelRequest, CreateWorker, Effect, Failure, InputRequest, ListQuery, Operation, StopRequest,
    TranscriptQuery, Worker, WorkerId,
};
use yoi_testkit::{Fault, FaultProxy, LinkRow, Outcome, RemoteRuntime, TestRuntime};
use yoi_workspace_server::{CallContext, Remote, RemoteSettings, RuntimeHandle, Upstream};

/// Longer than anything here takes that ends at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Times in which everything comes that comes at all.
pub(crate) const PATIENT: Timeouts = Timeouts {
    connect: PATIENCE,
    response: PATIENCE,
    request: PATIENCE,
};
/// How long a Backend waits for what a fault keeps from it.
const SOON: Duration = Duration::from_millis(1500);
/// How long it waits for the end of an answer, which has to have begun by then.
const LATER: Duration = Duration::from_secs(3);

pub(crate) struct Rig {
    pub(crate) runtime: TestRuntime,
    pub(crate) link: FaultProxy,
    /// Waits long for everything.
    patient: Remote,
    /// Does not wait long for what the fault keeps from it.
    awaiting: Remote,
}

impl Rig {
    /// A Backend's end that tries nothing twice and waits long.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with a second end that does not wait long for what this fault keeps from it: what
    /// is refused, cut or garbled is so however long anybody waits.
    pub(crate) async fn awaiting(fault: Fault) -> Self {
        Self::with(|settings| {
            let timeouts = &mut settings.timeouts;
            match fault {
                Fault::ConnectNeverCompletes => timeouts.connect = SOON,
                Fault::NoHead | Fault::HeadStalls | Fault::BodyStalls => timeouts.response = SOON,
                Fault::BodyTrickles => timeouts.request = LATER,
                Fault::HalfOpen | Fault::NoPong => settings.idle = SOON,
                _ => {}
            }
        })
        .await
    }

    async fn with(hurry: impl FnOnce(&mut RemoteSettings)) -> Self {
        let runtime = TestRuntime::builder("gpu-1")
            .token("open-sesame")
            .start()
            .await;
        let link = FaultProxy::builder(&runtime)
            .settings(|settings| {
                settings.retry = RetryPolicy::NEVER;
                be_patient(settings);
                hurry(settings);
            })
            .start()
            .await;
        let mut settings = link.remote_settings();
        let awaiting = Remote::new(link.id().clone(), &settings).unwrap();
        be_patient(&mut settings);
        let patient = Remote::new(link.id().clone(), &settings).unwrap();
        Self {
            runtime,
            link,
            patient,
            awaiting,
        }
    }

    /// A new Worker, made without the link.
    pub(crate) async fn worker(&self) -> WorkerId {
        let create = CreateWorker::default();
        let made = self
            .runtime
            .workers()
            .create(&create, &Call::default())
            .await;
        made.unwrap().value.worker_id
    }

    /// What the Runtime knows of a Worker, asked without the link.
    pub(crate) async fn truth(&self, worker: &WorkerId) -> Worker {
        let workers = self.runtime.workers();
        workers.get(worker, &Call::default()).await.unwrap().value
    }

    /// Asks for an operation over the link.
    pub(crate) async fn ask(&self, operation: Operation, id: &WorkerId) -> Result<(), Failure> {
        ask(&self.patient, operation, id).await
    }

    /// Asks for an operation to which the fault happens.
    pub(crate) async fn meet(&self, operation: Operation, id: &WorkerId) -> Result<(), Failure> {
        ask(&self.awaiting, operation, id).await
    }

    /// An observation over the link.
    pub(crate) async fn observe(&self, id: &WorkerId) -> Box<dyn Upstream> {
        let call = CallContext::default();
        self.patient.observe(id, None, &call).await.unwrap()
    }

    /// An observation to which the fault happens.
    pub(crate) async fn observe_harmed(&self, id: &WorkerId) -> Box<dyn Upstream> {
        let call = CallContext::default();
        self.awaiting.observe(id, None, &call).await.unwrap()
    }
}

fn be_patient(settings: &mut RemoteSettings) {
    settings.timeouts = PATIENT;
    settings.idle = PATIENCE;
}

async fn ask(remote: &Remote, operation: Operation, id: &WorkerId) -> Result<(), Failure> {
    let call = CallContext::default();
    let asked = async {
        match operation {
            Operation::ListWorkers => remote
                .list_workers(&ListQuery::default(), &call)
                .await
                .map(drop),
            Operation::GetWorker => remote.get_worker(id, &call).await.map(drop),
            Operation::CreateWorker => {
                let body = CreateWorker {
                    worker_id: Some(WorkerId::parse(&format!("{id}-too")).unwrap()),
                    ..CreateWorker::default()
                };
                remote.create_worker(body, &call).await.map(drop)
            }
            Operation::SendInput => {
                let body = InputRequest::new("hi");
                remote.send_input(id, body, &call).await.map(drop)
            }
            Operation::Cancel => remote
                .cancel(id, CancelRequest::default(), &call)
                .await
                .map(drop),
            Operation::Stop => remote
                .stop(id, StopRequest::default(), &call)
                .await
                .map(drop),
            Operation::Transcript => {
                let query = TranscriptQuery::default();
                remote.transcript(id, &query, &call).await.map(drop)
            }
            Operation::Events => remote.observe(id, None, &call).await.map(drop),
        }
    };
    timeout(PATIENCE, asked)
        .await
        .expect("an answer, or a failure")
}

/// Says as which row something failed, and what was to be expected.
pub(crate) fn compare(fault: Fault, operation: Operation, got: Result<(), Failure>) {
    let told = match &got {
        Ok(()) => "unharmed".to_owned(),
        Err(failure) => LinkRow::of(&normal(failure, operation)).to_string(),
    };
    let expected = match fault.outcome(operation) {
        Outcome::Unharmed => "unharmed".to_owned(),
        Outcome::Fails(row) => row.to_string(),
        other => panic!("{fault} is about a stream: {other:?}"),
    };
    assert_eq!(told, expected, "{fault} on {operation}");
}

/// Nobody asks what a read did, so what its failure says of that does not matter.
fn normal(failure: &Failure, operation: Operation) -> Failure {
    match operation.is_command() {
        true => failure.clone(),
        false => failure.clone().with_effect(Effect::None),
    }
}
