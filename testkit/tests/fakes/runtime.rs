//! A Runtime that is not there, in front of a Backend that does not notice.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use yoi_client::{Call, RetryPolicy, Timeouts, Workers};
use yoi_protocol::{
    CancelRequest, Code, CreateWorker, Effect, Failure, InputRequest, ListQuery, Origin, Phase,
    Reason, StopRequest, TranscriptQuery, WorkerId,
};
use yoi_testkit::fixtures::{bodies, problems};
use yoi_testkit::{FakeRuntime, RemoteRuntime, TestBackend};

async fn behind(fake: &FakeRuntime) -> (TestBackend, Workers) {
    let backend = TestBackend::builder()
        .fake(fake)
        .retry(RetryPolicy::NEVER)
        .start()
        .await;
    let workers = backend.workers(fake.id().as_str());
    (backend, workers)
}

fn w(id: &str) -> WorkerId {
    WorkerId::parse(id).expect("an id")
}

/// What the test that ends here is told, by the panic of `end`.
async fn told(end: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(end)
        .catch_unwind()
        .await
        .expect_err("nothing failed");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[tokio::test]
async fn every_route_answers_its_fixture_under_the_names_that_were_asked_for() {
    let fake = FakeRuntime::start("far-2").await;
    let (_backend, workers) = behind(&fake).await;
    let call = Call::default();
    let _stubs = [
        fake.list_workers().mount().await,
        fake.create_worker().mount().await,
        fake.get_worker("w-7").mount().await,
        fake.send_input("w-7").mount().await,
        fake.cancel("w-7").mount().await,
        fake.stop("w-7").mount().await,
        fake.transcript("w-7").mount().await,
    ];
    let (id, far) = (w("w-7"), fake.id().clone());

    let page = workers
        .list(&ListQuery::default(), &call)
        .await
        .expect("list")
        .value;
    assert_eq!(page.workers[0].runtime_id, far);
    let body = CreateWorker {
        worker_id: Some(w("w-new")),
        ..CreateWorker::default()
    };
    let created = workers.create(&body, &call).await.expect("create").value;
    assert_eq!(
        (&created.worker_id, &created.runtime_id),
        (&w("w-new"), &far)
    );
    let mut worker = bodies::worker();
    (worker.worker_id, worker.runtime_id) = (id.clone(), far.clone());
    assert_eq!(workers.get(&id, &call).await.expect("get").value, worker);
    let input = InputRequest::new("hi");
    let accepted = workers
        .input(&id, &input, &call)
        .await
        .expect("input")
        .value;
    assert_eq!((accepted.worker_id, accepted.sequence), (id.clone(), 1));
    let cancelled = workers.cancel(&id, &CancelRequest::default(), &call).await;
    assert_eq!(cancelled.expect("cancel").value.worker.worker_id, id);
    let stopped = workers.stop(&id, &StopRequest::default(), &call).await;
    assert_eq!(stopped.expect("stop").value.worker.worker_id, id);
    let query = TranscriptQuery::default();
    let transcript = workers
        .transcript(&id, &query, &call)
        .await
        .expect("transcript")
        .value;
    assert_eq!(transcript.entries, bodies::transcript().entries);
    assert_eq!(transcript.worker_id, id);
}

#[tokio::test]
async fn a_stub_has_what_it_was_asked() {
    let fake = FakeRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let (_backend, workers) = behind(&fake).await;
    let stub = fake.list_workers().times(1).mount().await;
    let query = ListQuery {
        limit: Some(3),
        ..ListQuery::default()
    };
    workers.list(&query, &Call::default()).await.expect("list");
    stub.until_asked(1).await;
    let asked = &stub.received()[0];
    assert_eq!((asked.method(), asked.path()), ("GET", "/v1/workers"));
    assert_eq!(asked.query("limit"), Some("3"));
    assert_eq!(asked.header("authorization"), Some("Bearer open-sesame"));
    assert_eq!(asked.header("yoi-runtime-id"), Some("gpu-1"));
    assert!(!format!("{asked:?}{asked}{stub:?}").contains("sesame"));
}

/// Every code, as the word of a Runtime, means to a Backend what the contract's table says.
#[tokio::test]
async fn each_code_is_refused_as_a_runtime_refuses() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    for code in Code::ALL {
        let stub = fake.stop("w-1").refuses(*code).any_times().mount().await;
        let refused = workers
            .stop(&w("w-1"), &StopRequest::default(), &Call::default())
            .await;
        let failure = refused.expect_err("refused").failure;
        assert!(!stub.received().is_empty(), "{code}");
        let told = match code.as_str() {
            "unauthorized" | "forbidden_origin" | "operation_denied" => Code::RuntimeAuthFailed,
            "misdirected_request" => Code::RuntimeIdentityMismatch,
            "unavailable" => Code::RuntimeUnavailable,
            "method_not_allowed" => Code::OperationUnsupported,
            "upgrade_required" => Code::RuntimeProtocolError,
            "internal" => Code::RuntimeFailed,
            own if own.starts_with("runtime_") && *code != Code::RuntimeNotFound => {
                Code::RuntimeFailed
            }
            _ => *code,
        };
        assert_eq!(failure.code, told, "{code}: {failure:?}");
        if told == *code {
            let fixture =
                problems::by(Origin::Runtime, *code).or(problems::by(Origin::Backend, *code));
            let details = fixture.expect("a fixture").details;
            assert_eq!(
                failure.details.active_run_id, details.active_run_id,
                "{code}"
            );
            assert_eq!(failure.details.limit, details.limit, "{code}");
            assert_eq!(failure.details.limit_bytes, details.limit_bytes, "{code}");
        }
    }
}

#[tokio::test]
async fn a_failure_keeps_the_effect_that_it_was_given() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let failure = Failure::new(Code::StoreFailed).with_effect(Effect::Unknown);
    let _stub = fake.cancel("w-1").refuses_as(failure).mount().await;
    let refused = workers
        .cancel(&w("w-1"), &CancelRequest::default(), &Call::default())
        .await;
    let failure = refused.expect_err("refused").failure;
    assert_eq!(
        (failure.code, failure.effect),
        (Code::StoreFailed, Effect::Unknown)
    );
}

#[tokio::test]
async fn the_first_stub_answers_until_it_is_used_up() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let busy = fake
        .send_input("w-1")
        .refuses(Code::WorkerBusy)
        .first(2)
        .mount()
        .await;
    let then = fake.send_input("w-1").times(1).mount().await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        let sent = workers
            .input(&w("w-1"), &InputRequest::new("hi"), &Call::default())
            .await;
        codes.push(sent.err().map(|error| error.failure.code));
    }
    assert_eq!(
        codes,
        [Some(Code::WorkerBusy), Some(Code::WorkerBusy), None]
    );
    assert_eq!((busy.received().len(), then.received().len()), (2, 1));
}

#[tokio::test]
async fn what_is_no_answer_of_this_runtime_is_told_so() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let id = w("w-1");
    let get = async || {
        let answer = workers.get(&id, &Call::default()).await;
        answer.expect_err("no worker").failure
    };

    let stub = fake.get_worker("w-1").named_by("gpu-2").mount().await;
    assert_eq!(get().await.code, Code::RuntimeIdentityMismatch);
    stub.verify();
    let stub = fake.get_worker("w-1").anonymous().mount().await;
    assert_eq!(get().await.code, Code::RuntimeProtocolError);
    stub.verify();
    let html = fake
        .get_worker("w-1")
        .answers_raw(200, "text/html", "<html>");
    let stub = html.mount().await;
    assert_eq!(get().await.code, Code::RuntimeProtocolError);
    stub.verify();
    let proxy = fake
        .get_worker("w-1")
        .answers_raw(503, "text/html", "<html>");
    let stub = proxy.anonymous().mount().await;
    let failure = get().await;
    assert_eq!(failure.code, Code::RuntimeUnavailable);
    assert_eq!(failure.details.reason, Some(Reason::Overloaded));
    stub.verify();
    let stub = fake
        .get_worker("w-1")
        .answers_fixture("unknown/worker")
        .mount()
        .await;
    assert!(workers.get(&id, &Call::default()).await.is_ok());
    stub.verify();
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let fake = FakeRuntime::start("gpu-1").await;
    let patience = Timeouts {
        response: Duration::from_secs(2),
        ..Timeouts::default()
    };
    let backend = TestBackend::builder()
        .fake(&fake)
        .timeouts(patience)
        .retry(RetryPolicy::NEVER)
        .start()
        .await;
    let late = fake.stop("w-1").after(Duration::from_secs(20)).any_times();
    let stub = late.mount().await;
    let call = Call::default().by(tokio::time::Instant::now() + Duration::from_secs(60));
    let stopped = backend
        .workers("gpu-1")
        .stop(&w("w-1"), &StopRequest::default(), &call)
        .await;
    let failure = stopped.expect_err("late").failure;
    assert!(!stub.received().is_empty());
    assert!(
        matches!(failure.code, Code::RuntimeTimedOut | Code::TimedOut),
        "{failure:?}"
    );
    assert_eq!(failure.effect, Effect::Unknown);
    if failure.code == Code::RuntimeTimedOut {
        assert_eq!(failure.details.phase, Some(Phase::Response));
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_refused_as_by_any_runtime() {
    let fake = FakeRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let mut stranger = fake.remote_settings();
    stranger.token = None;
    let mut lost = fake.remote_settings();
    lost.retry = RetryPolicy::NEVER;
    let backend = TestBackend::builder()
        .remote_with("gpu-1", &stranger)
        .remote_with("gpu-2", &lost)
        .start()
        .await;
    for (id, code) in [
        ("gpu-1", Code::RuntimeAuthFailed),
        ("gpu-2", Code::RuntimeIdentityMismatch),
    ] {
        let refused = backend
            .workers(id)
            .create(&CreateWorker::default(), &Call::default())
            .await;
        let failure = refused.expect_err("refused").failure;
        assert_eq!((failure.code, failure.effect), (code, Effect::None), "{id}");
    }
}

#[tokio::test]
async fn a_request_that_nobody_expected_fails_the_test() {
    let fake = FakeRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let (backend, workers) = behind(&fake).await;
    let stub = fake.stop("w-1").any_times().mount().await;
    let body = InputRequest::new("what is this?");
    let sent = workers.input(&w("w-1"), &body, &Call::default()).await;
    assert_eq!(
        sent.expect_err("no stub").failure.code,
        Code::OperationUnsupported
    );
    backend.stop().await;
    drop(stub);
    let told = told(async { fake.verify() }).await;
    for part in [
        "the fake runtime gpu-1 was asked 1 time(s)",
        "POST /v1/workers/w-1/input",
        "what is this?",
        "POST /v1/workers/w-1/stop",
        "authorization: [not shown]",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    assert!(!told.contains("sesame"), "{told}");
}

#[tokio::test]
async fn what_a_test_takes_does_not_fail_it() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let listed = workers.list(&ListQuery::default(), &Call::default()).await;
    assert_eq!(
        listed.expect_err("no stub").failure.code,
        Code::OperationUnsupported
    );
    let came = fake.take_unexpected();
    assert_eq!(
        came.iter().map(|asked| asked.path()).collect::<Vec<_>>(),
        ["/v1/workers"]
    );
}

#[tokio::test]
async fn a_stub_that_is_not_asked_as_often_as_it_said_fails_the_test() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let never = fake.stop("w-1").mount().await;
    let message = told(async { never.verify() }).await;
    assert!(
        message.contains("/v1/workers/w-1/stop was to be asked at least once"),
        "{message}"
    );

    let once = fake.list_workers().times(2).mount().await;
    workers
        .list(&ListQuery::default(), &Call::default())
        .await
        .expect("list");
    let message = told(async { drop(once) }).await;
    assert!(
        message.contains("to be asked 2 time(s), and was asked 1 time(s)"),
        "{message}"
    );
    assert!(message.contains("- GET /v1/workers"), "{message}");

    let none = fake.list_workers().times(0).mount().await;
    workers
        .list(&ListQuery::default(), &Call::default())
        .await
        .expect("list");
    assert!(
        told(async { none.verify() })
            .await
            .contains("asked 0 time(s), and was asked 1")
    );

    let first = fake.list_workers().first(1).mount().await;
    assert!(
        told(async { first.verify() })
            .await
            .contains("asked 1 time(s), and was asked 0")
    );
}

#[tokio::test]
async fn it_says_of_itself_what_it_was_told() {
    let fake = FakeRuntime::builder("gpu-1")
        .info(|info| {
            info.capabilities
                .retain(|can| can.as_str() != "workers.stop");
        })
        .start()
        .await;
    let (backend, _workers) = behind(&fake).await;
    yoi_testkit::eventually("the runtime is seen", async || {
        let detail = backend
            .client()
            .runtime_detail(fake.id(), &Call::default())
            .await;
        let entry = detail.expect("known").value.entry;
        match entry.capabilities.len() {
            10 => Ok(()),
            _ => Err(entry),
        }
    })
    .await;
}

/// An assertion inside a stub runs on threads that no test waits for.
#[tokio::test]
async fn what_panics_in_a_stub_fails_the_test() {
    let fake = FakeRuntime::start("gpu-1").await;
    let (_backend, workers) = behind(&fake).await;
    let stub = fake
        .get_worker("w-1")
        .answers_with(|_| panic!("it does not like the question"))
        .times(1)
        .mount()
        .await;
    let id = w("w-1");
    let refused = workers.get(&id, &Call::default()).await;
    assert_eq!(
        refused.expect_err("no answer").failure.code,
        Code::OperationUnsupported
    );
    assert_eq!(stub.received().len(), 1);
    stub.verify();
    let told = told(async { fake.verify() }).await;
    for part in [
        "a stub of the fake runtime gpu-1 panicked: it does not like the question",
        "GET /v1/workers/w-1",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

/// Whoever is not let in is seen, over HTTP and as an observer.
#[tokio::test]
async fn who_is_not_let_in_is_seen() {
    let fake = FakeRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let stranger = yoi_client::Client::builder(&fake.url()).expect("a URL");
    let stranger = stranger.build().expect("a client");
    let workers = stranger.workers(yoi_protocol::Api::Runtime);
    let listed = workers.list(&ListQuery::default(), &Call::default()).await;
    assert_eq!(
        listed.expect_err("refused").failure.code,
        Code::Unauthorized
    );
    let watched = workers.events(&w("w-1"), None, &Call::default()).await;
    assert!(watched.is_err());
    let refused = fake.refused();
    let paths: Vec<_> = refused.iter().map(|asked| asked.path()).collect();
    assert_eq!(paths, ["/v1/workers", "/v1/workers/w-1/events/ws"]);
}

/// A Runtime names every request, also one that came without a name.
#[tokio::test]
async fn a_request_without_an_id_is_given_one() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let fake = FakeRuntime::start("gpu-1").await;
    let _stub = fake.get_worker("w-1").refuses(Code::Internal).mount().await;
    let mut stream = tokio::net::TcpStream::connect(fake.address())
        .await
        .expect("it is there");
    let request = "GET /v1/workers/w-1 HTTP/1.1\r\nhost: gpu\r\nconnection: close\r\n\r\n";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    let named = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "));
    let id = named.unwrap_or_else(|| panic!("nobody named it: {answer}"));
    assert!(
        answer.contains(&format!(r#""request_id":"{id}""#)),
        "{answer}"
    );
}
