//! A fault of the Backend's own: told as nothing but `internal`, and in the log with its cause.

use tracing::{Instrument, Level};
use yoi_protocol::{Code, CreateWorker, Effect, StopRequest, WorkerId};
use yoi_workspace_server::{Backend, Caller};

use crate::double::Double;
use crate::heard::Log;
use crate::support::{STILL, embedded, id};

#[tokio::test]
async fn a_command_that_panics_leaves_its_cause_in_the_log_under_its_request() {
    let (log, _listening) = Log::here(Level::INFO);
    let (runtime, _script) = embedded("inside").await;
    let double = Double::of(runtime).stop_panics("a wheel came off at /srv/secret");
    let registration = double
        .registered("inside")
        .hide(vec!["/srv/secret".to_owned()]);
    let backend = Backend::builder()
        .runtime(registration)
        .presence(STILL)
        .build()
        .unwrap();
    let inside = id("inside");
    let worker_id = WorkerId::parse("w-1").unwrap();
    let body = CreateWorker {
        worker_id: Some(worker_id.clone()),
        ..CreateWorker::default()
    };
    let created = backend.create_worker(Caller::default(), &inside, body);
    created.await.unwrap();
    let failure = backend
        .stop(
            Caller::default(),
            &inside,
            &worker_id,
            StopRequest::default(),
        )
        .instrument(tracing::info_span!("request", request_id = "asked-7"))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code, failure.effect),
        (Code::Internal, Effect::Unknown)
    );
    let log = log.text();
    let line = log.lines().find(|line| line.contains("panicked"));
    let line = line.unwrap_or_else(|| panic!("no cause in the log: {log}"));
    assert!(line.contains("a wheel came off at [hidden]"), "{line}");
    assert!(line.contains("asked-7"), "{line}");
    let audit = log.lines().find(|line| line.contains("internal")).unwrap();
    assert!(audit.contains("asked-7"), "{audit}");
}
