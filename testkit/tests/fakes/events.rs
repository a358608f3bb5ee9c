//! Streams of events that a test says, seen through a Backend.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use yoi_client::{Call, CallError, FrameStream, RetryPolicy, Workers};
use yoi_protocol::{
    Code, Control, Cursor, Delta, Event, EventFrame, Frame, Problem, RunId, StreamEnd, WorkerId,
    WorkerStatus,
};
use yoi_testkit::fixtures::{frames, problems};
use yoi_testkit::{FakeRuntime, RemoteRuntime, TestBackend, eventually};

/// A client's own view of the fake, without a Backend between them.
fn directly(fake: &FakeRuntime) -> Workers {
    let builder = yoi_client::Client::builder(&fake.url()).expect("a URL");
    let client = builder
        .addressee(fake.id().clone())
        .retry(RetryPolicy::NEVER);
    client
        .build()
        .expect("plain HTTP")
        .workers(yoi_protocol::Api::Runtime)
}

fn watch(workers: &Workers, cursor: Option<&str>) -> JoinHandle<Result<FrameStream, CallError>> {
    let workers = workers.clone();
    let cursor = cursor.map(|text| Cursor::parse(text).expect("a cursor"));
    let id = WorkerId::parse("w-1").expect("an id");
    tokio::spawn(async move { workers.events(&id, cursor.as_ref(), &Call::default()).await })
}

async fn next(stream: &mut FrameStream) -> Frame {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
    let raw = next.expect("in time").expect("a frame");
    serde_json::from_str(&raw.to_text()).expect("of this version")
}

async fn end(stream: &mut FrameStream) -> StreamEnd {
    loop {
        if let Err(end) = stream.next().await {
            return end;
        }
    }
}

#[tokio::test]
async fn an_observer_sees_what_the_test_says() {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let workers = directly(&fake);
    let watching = watch(&workers, None);
    let mut observer = observers.accept().await;
    let mut stream = watching.await.expect("no panic").expect("open");
    assert_eq!(
        (observer.worker_id().as_str(), observer.cursor()),
        ("w-1", None)
    );

    observer.begin().await;
    let Frame::Event(snapshot) = next(&mut stream).await else {
        panic!()
    };
    let Event::Snapshot { worker, .. } = &snapshot.event else {
        panic!()
    };
    assert_eq!((snapshot.seq, worker.status), (1, WorkerStatus::Idle));
    let Frame::Control(control) = next(&mut stream).await else {
        panic!()
    };
    assert!(matches!(
        control.control,
        Control::CaughtUp { in_flight: None }
    ));

    observer.send(&frames::run_started()).await;
    assert_eq!(next(&mut stream).await, frames::run_started());
    let run_id = RunId::parse("run-1").expect("an id");
    let text = Delta::Text {
        run_id,
        offset: 0,
        text: "hi".to_owned(),
    };
    observer.delta(text.clone()).await;
    let Frame::Delta(delta) = next(&mut stream).await else {
        panic!()
    };
    assert_eq!(delta.delta, text);

    observer
        .event(12, Event::WorkerStopped { reason: None })
        .await;
    let Frame::Event(stopped) = next(&mut stream).await else {
        panic!()
    };
    observer.end(&StreamEnd::Complete).await;
    assert_eq!(end(&mut stream).await, StreamEnd::Complete);

    let watching = watch(&workers, Some(stopped.cursor.as_str()));
    let observer = observers.accept().await;
    let stream = watching.await.expect("no panic").expect("open");
    assert_eq!(observer.resumes_after(), Some(12));
    drop(stream);
    observer.until_gone().await;
}

#[tokio::test]
async fn each_end_is_the_one_that_was_said() {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let workers = directly(&fake);
    for said in [
        StreamEnd::SlowConsumer,
        StreamEnd::Draining,
        StreamEnd::ObservationOnly,
    ] {
        let watching = watch(&workers, None);
        let observer = observers.accept().await;
        let mut stream = watching.await.expect("no panic").expect("open");
        observer.end(&said).await;
        assert_eq!(end(&mut stream).await, said);
    }
    for reset in [true, false] {
        let watching = watch(&workers, None);
        let observer = observers.accept().await;
        let mut stream = watching.await.expect("no panic").expect("open");
        match reset {
            true => observer.reset(),
            false => observer.vanish(),
        }
        let StreamEnd::Failed(failure) = end(&mut stream).await else {
            panic!()
        };
        assert_eq!(failure.code, Code::RuntimeUnreachable);
    }
}

#[tokio::test]
async fn who_is_refused_before_the_upgrade_has_the_answer_of_a_runtime() {
    let fake = FakeRuntime::builder("gpu-1")
        .token("open-sesame")
        .start()
        .await;
    let mut observers = fake.events();
    let stranger = watch(&directly(&fake), None).await.expect("no panic");
    assert_eq!(
        stranger.expect_err("refused").failure.code,
        Code::Unauthorized
    );
    assert!(observers.try_next().is_none());

    let backend = TestBackend::builder()
        .fake(&fake)
        .retry(RetryPolicy::NEVER)
        .start()
        .await;
    let workers = backend.workers("gpu-1");
    let mut stream = watch(&workers, None)
        .await
        .expect("no panic")
        .expect("open");
    observers.next().await.refuse(Code::WorkerNotFound).await;
    let StreamEnd::Failed(failure) = end(&mut stream).await else {
        panic!()
    };
    assert_eq!(failure.code, Code::WorkerNotFound);

    let problem: Problem =
        problems::by(yoi_protocol::Origin::Runtime, Code::CursorExpired).expect("one");
    let mut stream = watch(&workers, None)
        .await
        .expect("no panic")
        .expect("open");
    observers.next().await.refuse_with(&problem).await;
    let StreamEnd::Failed(failure) = end(&mut stream).await else {
        panic!()
    };
    assert_eq!(failure.code, Code::CursorExpired);
}

/// A Backend that lost a stream comes back to the Runtime with the cursor that the Runtime gave; who
/// watches is told so, and stays.
#[tokio::test]
async fn a_backend_comes_back_where_it_was() {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let backend = TestBackend::builder().fake(&fake).start().await;
    let workers = backend.workers("gpu-1");
    let mut stream = watch(&workers, None)
        .await
        .expect("no panic")
        .expect("open");
    let mut observer = observers.accept().await;
    observer.begin().await;
    let status = WorkerStatus::Running;
    observer.event(2, Event::StatusChanged { status }).await;
    until(&mut stream, 2).await;
    observer.reset();

    let mut observer = observers.accept().await;
    assert_eq!(observer.resumes_after(), Some(2));
    observer.caught_up().await;
    let status = WorkerStatus::Idle;
    observer.event(3, Event::StatusChanged { status }).await;
    let seen = until(&mut stream, 3).await;
    assert_eq!(seen.runtime_id.as_ref(), Some(fake.id()));
    drop(stream);
}

async fn until(stream: &mut FrameStream, seq: u64) -> EventFrame {
    loop {
        match next(stream).await {
            Frame::Event(event) if event.seq == seq => return event,
            Frame::Diagnostic(last) => panic!("{last:?}"),
            _ => {}
        }
    }
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
async fn an_observer_that_nobody_expected_fails_the_test() {
    let fake = FakeRuntime::start("gpu-1").await;
    let refused = watch(&directly(&fake), None).await.expect("no panic");
    assert_eq!(
        refused.expect_err("refused").failure.code,
        Code::OperationUnsupported
    );
    let message = told(async { fake.verify() }).await;
    assert!(
        message.contains("GET /v1/workers/w-1/events/ws"),
        "{message}"
    );

    // One that came while another of the same Worker was there, and was not taken.
    let message = told(left_over(false)).await;
    assert!(
        message.contains("GET /v1/workers/w-1/events/ws?cursor=fake-2"),
        "{message}"
    );
    // One that came after another was gone, as a Backend does that loses one.
    left_over(true).await;
}

async fn left_over(first_is_gone: bool) {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let workers = directly(&fake);
    let first = watch(&workers, None);
    let mut observer = Some(observers.accept().await);
    let _first = first.await.expect("no panic").expect("open");
    if first_is_gone {
        observer.take();
    }
    let second = watch(&workers, Some("fake-2"));
    eventually("a second one", async || match observers.waiting() {
        1 => Ok(()),
        count => Err(count),
    })
    .await;
    drop(observers);
    assert!(second.await.expect("no panic").is_err());
    fake.verify();
}

/// Who asks for them twice is told so, and those who were held first lose nobody.
#[tokio::test]
async fn observers_are_held_once_and_the_first_keep_theirs() {
    let fake = FakeRuntime::start("gpu-1").await;
    let mut observers = fake.events();
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(fake.events())));
    let told = again.expect_err("they are held already");
    let told = told.downcast_ref::<&str>().expect("a message");
    assert!(told.contains("held already"), "{told}");

    let backend = TestBackend::builder().fake(&fake).start().await;
    let browser = backend.browser();
    let (mut observer, mut watcher) =
        tokio::join!(observers.accept(), browser.watch("gpu-1", "w-1"));
    observer.begin().await;
    watcher.until_caught_up().await;
}
