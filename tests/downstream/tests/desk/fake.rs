//! A Runtime that is not there says what no real one would, when the test wants it.

use yoi_downstream::AskError;
use yoi_protocol::{Entry, Event, InputRequest, Outcome, Role, StreamEnd, WorkerId};
use yoi_testkit::{FakeEventStream, FakeRuntime, MountedStub, TestBackend, fixtures};

use crate::desk_before;

/// An answer that cannot be read leaves the desk in doubt, until it asks again.
#[tokio::test]
async fn in_doubt_the_same_question_is_put_again() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let desk = desk_before(&backend);
    let worker = WorkerId::parse("w-1").unwrap();

    let garbled = fake
        .send_input("w-1")
        .answers_raw(202, "text/html", "<h1>Hi!</h1>");
    let garbled = garbled.first(1).mount().await;
    let taken = fake.send_input("w-1").times(1).mount().await;
    let mut observers = fake.events();

    let asked = tokio::spawn(async move { desk.ask(&worker, "what is up?").await });
    // The fixture of the route says which run began, and where.
    let mut observer = observers.accept().await;
    let accepted = fixtures::bodies::input_accepted();
    assert_eq!(observer.cursor(), Some(&accepted.cursor));
    says(&mut observer, "the sky").await;
    observer.event(12, finished(Outcome::Completed)).await;

    assert_eq!(asked.await.unwrap().unwrap(), "the sky");
    assert_eq!(key_of(&garbled), key_of(&taken));
    assert_eq!(
        taken.received()[0].json::<InputRequest>().content,
        "what is up?"
    );
}

/// A Runtime that never says anything readable is not asked for ever.
#[tokio::test]
async fn the_desk_gives_up_in_doubt() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let desk = desk_before(&backend);
    let worker = WorkerId::parse("w-1").unwrap();

    let garbled = fake
        .send_input("w-1")
        .answers_raw(202, "text/html", "<h1>Hi!</h1>");
    let garbled = garbled.times(3).mount().await;

    let error = desk.ask(&worker, "what is up?").await.unwrap_err();
    assert!(matches!(error, AskError::InDoubt(_)), "{error:?}");
    garbled.verify();
}

/// A run that is cancelled has no answer, whatever it said before.
#[tokio::test]
async fn a_cancelled_answer_is_none() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let desk = desk_before(&backend);
    let worker = WorkerId::parse("w-1").unwrap();
    let _taken = fake.send_input("w-1").mount().await;
    let mut observers = fake.events();

    let asked = tokio::spawn(async move { desk.ask(&worker, "what is up?").await });
    let mut observer = observers.accept().await;
    says(&mut observer, "the").await;
    observer.event(12, finished(Outcome::Cancelled)).await;
    observer
        .event(13, Event::WorkerStopped { reason: None })
        .await;
    observer.end(&StreamEnd::Complete).await;

    assert_eq!(asked.await.unwrap(), Err(AskError::Cancelled));
}

/// Who asks while the Backend shuts down is told that the question was put.
#[tokio::test]
async fn a_backend_that_is_gone_leaves_the_answer_unheard() {
    let fake = FakeRuntime::start("gpu-1").await;
    let backend = TestBackend::builder().fake(&fake).start().await;
    let desk = desk_before(&backend);
    let worker = WorkerId::parse("w-1").unwrap();
    let _taken = fake.send_input("w-1").mount().await;
    let mut observers = fake.events();

    let asked = tokio::spawn(async move { desk.ask(&worker, "still there?").await });
    let _observer = observers.accept().await;
    backend.stop().await;

    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, AskError::Unheard(_)), "{error:?}");
}

async fn says(observer: &mut FakeEventStream, content: &str) {
    let accepted = fixtures::bodies::input_accepted();
    let entry = Entry {
        sequence: accepted.sequence + 1,
        role: Role::Assistant,
        content: content.to_owned(),
        run_id: accepted.run_id,
        at: accepted.accepted_at,
        redacted: false,
    };
    observer.event(11, Event::EntryAppended { entry }).await;
}

fn finished(outcome: Outcome) -> Event {
    Event::RunFinished {
        run_id: fixtures::bodies::input_accepted().run_id,
        outcome,
        error: None,
    }
}

fn key_of(stub: &MountedStub) -> String {
    let received = stub.received();
    let [once] = &received[..] else {
        panic!("not one request, but {received:?}");
    };
    once.header("idempotency-key").unwrap().to_owned()
}
