//! The routes of a fake, each with the body that it answers.

use yoi_protocol::{
    Api, Cancelled, InputAccepted, Operation, RuntimeInfo, Stopped, Transcript, Worker, WorkerId,
    WorkerPage,
};

use super::FakeRuntime;
use super::stub::{Route, Stub};
use crate::fixtures;

impl FakeRuntime {
    /// `GET /v1/runtime`, instead of what it says of itself.
    pub fn runtime(&self) -> Stub<RuntimeInfo> {
        let route = Route {
            method: "GET",
            path: Api::Runtime.runtime(),
            operation: None,
            worker_id: None,
            status: 200,
        };
        Stub::new(self.shared.clone(), route, fixtures::get("answers/runtime"))
    }

    /// `GET /v1/workers`, whatever its query.
    pub fn list_workers(&self) -> Stub<WorkerPage> {
        let path = Api::Runtime.workers();
        self.stub(Operation::ListWorkers, path, None, "answers/workers")
    }

    /// `POST /v1/workers`. The fixture is told of the Worker that the request names.
    pub fn create_worker(&self) -> Stub<Worker> {
        let path = Api::Runtime.workers();
        self.stub(
            Operation::CreateWorker,
            path,
            None,
            "answers/worker_created",
        )
    }

    /// `GET /v1/workers/{worker_id}`.
    ///
    /// # Panics
    /// When `worker_id` is no id, as with each that takes one.
    pub fn get_worker(&self, worker_id: &str) -> Stub<Worker> {
        self.of_worker(
            Operation::GetWorker,
            worker_id,
            Api::worker,
            "answers/worker",
        )
    }

    /// `POST /v1/workers/{worker_id}/input`.
    pub fn send_input(&self, worker_id: &str) -> Stub<InputAccepted> {
        let fixture = "answers/input_accepted";
        self.of_worker(Operation::SendInput, worker_id, Api::input, fixture)
    }

    /// `POST /v1/workers/{worker_id}/cancel`.
    pub fn cancel(&self, worker_id: &str) -> Stub<Cancelled> {
        self.of_worker(
            Operation::Cancel,
            worker_id,
            Api::cancel,
            "answers/cancelled",
        )
    }

    /// `POST /v1/workers/{worker_id}/stop`.
    pub fn stop(&self, worker_id: &str) -> Stub<Stopped> {
        self.of_worker(Operation::Stop, worker_id, Api::stop, "answers/stopped")
    }

    /// `GET /v1/workers/{worker_id}/transcript`, whatever its query.
    pub fn transcript(&self, worker_id: &str) -> Stub<Transcript> {
        let fixture = "answers/transcript";
        self.of_worker(Operation::Transcript, worker_id, Api::transcript, fixture)
    }

    fn of_worker<T: serde::Serialize + serde::de::DeserializeOwned + 'static>(
        &self,
        operation: Operation,
        worker_id: &str,
        path: fn(&Api, &WorkerId) -> String,
        fixture: &str,
    ) -> Stub<T> {
        let worker_id =
            WorkerId::parse(worker_id).unwrap_or_else(|error| panic!("{worker_id:?}: {error}"));
        let path = path(&Api::Runtime, &worker_id);
        self.stub(operation, path, Some(worker_id), fixture)
    }

    fn stub<T: serde::Serialize + serde::de::DeserializeOwned + 'static>(
        &self,
        operation: Operation,
        path: String,
        worker_id: Option<WorkerId>,
        fixture: &str,
    ) -> Stub<T> {
        let route = Route {
            method: match operation.is_command() {
                true => "POST",
                false => "GET",
            },
            path,
            operation: Some(operation),
            worker_id,
            status: match operation {
                Operation::CreateWorker => 201,
                Operation::SendInput => 202,
                Operation::ListWorkers
                | Operation::GetWorker
                | Operation::Cancel
                | Operation::Stop
                | Operation::Transcript
                | Operation::Events => 200,
            },
        };
        Stub::new(self.shared.clone(), route, fixtures::get(fixture))
    }
}
