//! A fault of the Backend's own: told as nothing but `internal`, and in the log with its cause.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Instrument;
use tracing_subscriber::fmt::MakeWriter;
use yoi_protocol::{Code, CreateWorker, Effect, StopRequest, WorkerId};
use yoi_workspace_server::{Backend, Caller};

use crate::double::Double;
use crate::support::{STILL, embedded, id};

/// A log that a test reads.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_command_that_panics_leaves_its_cause_in_the_log_under_its_request() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .finish();
    // While there is only one listener, the thread that comes first to a line of the log says for
    // all whether anybody listens to it, and other tests have none. So there are two.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _listening = tracing::subscriber::set_default(subscriber);
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
