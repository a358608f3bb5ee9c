//! The record of commands.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Semaphore;
use yoi_protocol::{Code, Effect, Operation, StopRequest};
use yoi_testkit::{FakeRuntime, eventually};
use yoi_workspace_server::{
    Attempt, AuditRecord, AuditRefused, AuditSink, Backend, Caller, Registration,
};

use crate::support::{Served, embedded, registered};

struct Book {
    closed: AtomicBool,
    /// How many asked to be admitted, and how many more may be.
    asked: AtomicUsize,
    gate: Semaphore,
    records: Mutex<Vec<AuditRecord>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            closed: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            gate: Semaphore::new(100),
            records: Mutex::default(),
        }
    }
}

#[async_trait]
impl AuditSink for Book {
    async fn admit(&self, _attempt: &Attempt) -> Result<(), AuditRefused> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        if self.closed.load(Ordering::SeqCst) {
            Err(AuditRefused)
        } else {
            Ok(())
        }
    }
    async fn record(&self, record: AuditRecord) {
        self.records.lock().unwrap().push(record);
    }
}

async fn audited() -> (Served, Arc<Book>, yoi_testkit::Script) {
    let (runtime, script) = embedded("inside").await;
    let book = Arc::new(Book::default());
    let builder = Backend::builder()
        .runtime(Registration::embedded(runtime).allow(Some(vec![
            Operation::CreateWorker,
            Operation::SendInput,
            Operation::GetWorker,
            Operation::Stop,
        ])))
        .audit(Arc::clone(&book) as Arc<dyn AuditSink>);
    (Served::start(builder).await, book, script)
}

#[tokio::test]
async fn every_command_is_recorded_once_and_no_read_is() {
    let (served, book, _script) = audited().await;
    let path = served.create("inside", "w-1").await;
    served.get(&path).await;
    let headers = [("x-request-id", "asked-1")];
    served
        .ask("POST", &format!("{path}/stop"), &headers, None)
        .await;
    served
        .post(&format!("{path}/input"), json!({"content": "the content"}))
        .await;
    served.post(&format!("{path}/cancel"), json!({})).await;
    served.post("/api/runtimes/none/workers", json!({})).await;
    let records = book.records.lock().unwrap().clone();
    let brief: Vec<_> = records
        .iter()
        .map(|r| (r.attempt.operation, r.code, r.effect))
        .collect();
    let none = Some(Effect::None);
    assert_eq!(
        brief,
        [
            (Operation::CreateWorker, None, None),
            (Operation::Stop, None, None),
            (Operation::SendInput, Some(Code::WorkerStopped), none),
            (Operation::Cancel, Some(Code::OperationDenied), none),
            (Operation::CreateWorker, Some(Code::RuntimeNotFound), none),
        ]
    );
    assert_eq!(records[0].created.as_ref().unwrap().as_str(), "w-1");
    let stop = &records[1].attempt;
    assert_eq!(stop.principal, "local");
    assert_eq!(stop.runtime_id.as_str(), "inside");
    assert_eq!(stop.worker_id.as_ref().unwrap().as_str(), "w-1");
    assert_eq!(stop.request_id.as_ref().unwrap().as_str(), "asked-1");
    assert!(!format!("{records:?}").contains("the content"));
}

#[tokio::test]
async fn what_the_audit_refuses_is_not_done() {
    let (served, book, _script) = audited().await;
    let path = served.create("inside", "w-1").await;
    book.closed.store(true, Ordering::SeqCst);
    let refused = served.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(refused.brief(), "503 unavailable backend none");
    assert_eq!(served.get(&path).await.body["status"], "idle");
    book.closed.store(false, Ordering::SeqCst);
    assert_eq!(
        served.post(&format!("{path}/stop"), json!({})).await.status,
        200
    );
}

#[tokio::test]
async fn what_is_not_allowed_is_denied_whether_or_not_it_can_be_recorded() {
    let (served, book, _script) = audited().await;
    let path = served.create("inside", "w-1").await;
    let cancel = format!("{path}/cancel");
    book.closed.store(true, Ordering::SeqCst);
    let denied = served.post(&cancel, json!({})).await;
    assert_eq!(denied.brief(), "403 operation_denied backend none");
    assert_eq!(book.records.lock().unwrap().len(), 1, "the create alone");
    book.closed.store(false, Ordering::SeqCst);
    served.post(&cancel, json!({})).await;
    let records = book.records.lock().unwrap();
    assert_eq!(records[1].code, Some(Code::OperationDenied));
}

#[tokio::test]
async fn a_command_that_may_have_taken_effect_is_recorded_as_that() {
    let fake = FakeRuntime::start("fake").await;
    let _stop = fake.stop("w-1").uncoded(500).mount().await;
    let book = Arc::new(Book::default());
    let builder = Backend::builder()
        .runtime(registered(&fake))
        .audit(Arc::clone(&book) as Arc<dyn AuditSink>);
    let served = Served::start(builder).await;
    let reply = served
        .post("/api/runtimes/fake/workers/w-1/stop", json!({}))
        .await;
    assert_eq!(reply.brief(), "502 runtime_failed runtime unknown");
    let records = book.records.lock().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].code, Some(Code::RuntimeFailed));
    assert_eq!(records[0].effect, Some(Effect::Unknown));
}

#[tokio::test]
async fn a_command_is_carried_to_its_end_and_recorded_when_its_caller_hangs_up() {
    let (served, book, _script) = audited().await;
    let path = served.create("inside", "w-1").await;
    // The next command waits in the middle until it is let through.
    book.gate.forget_permits(100);
    let before = book.asked.load(Ordering::SeqCst);
    let backend = served.backend.clone();
    let inside = crate::support::id("inside");
    let worker = yoi_protocol::WorkerId::parse("w-1").unwrap();
    let asking = tokio::spawn(async move {
        backend
            .stop(Caller::default(), &inside, &worker, StopRequest::default())
            .await
    });
    eventually("the command has begun", async || {
        match book.asked.load(Ordering::SeqCst) - before {
            1 => Ok(()),
            count => Err(count),
        }
    })
    .await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    book.gate.add_permits(1);
    eventually("the stop is recorded as applied", async || {
        let records = book.records.lock().unwrap();
        let stop = records
            .iter()
            .find(|r| r.attempt.operation == Operation::Stop);
        match stop {
            Some(record) if record.code.is_none() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(served.get(&path).await.body["status"], "stopped");
}
