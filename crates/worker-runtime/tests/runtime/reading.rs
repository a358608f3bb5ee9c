//! Reads that the store does not answer, or not well.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use worker_runtime::{Runtime, RuntimeError, StoreError};
use yoi_protocol::{Code, Effect, Limits, ListQuery, StreamEnd, TranscriptQuery};

use crate::common::{self, Reads, TestStore, builder, create, id, send, settled};

const TIMED_OUT: RuntimeError = RuntimeError::TimedOut {
    effect: Effect::None,
};

/// A Runtime that takes 20 ms for anything, with a Worker `w`.
async fn impatient() -> (Runtime, Arc<TestStore>) {
    let store = TestStore::new();
    let limits = Limits {
        operation_timeout_ms: 20,
        ..Limits::default()
    };
    let builder = builder().store(store.clone()).limits(limits);
    let runtime = builder.start().await.unwrap();
    create(&runtime, "w").await;
    (runtime, store)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_up_a_read_only_so_long() {
    let (runtime, store) = impatient().await;
    let cursor = send(&runtime, "w", "hello").await.cursor;
    settled(&runtime, "w").await;
    store.read(Reads::Hang);

    let before = tokio::time::Instant::now();
    let w = id("w");
    let transcript = runtime.transcript(&w, &TranscriptQuery::default()).await;
    assert_eq!(transcript.err(), Some(TIMED_OUT));
    let observed = runtime.observe(&w, None).await;
    assert_eq!(observed.err(), Some(TIMED_OUT));
    let observed = runtime.observe(&w, Some(cursor.as_str())).await;
    assert_eq!(observed.err(), Some(TIMED_OUT));
    assert!(before.elapsed() <= Duration::from_millis(66));

    // What is in memory needs no store.
    runtime.get_worker(&w).await.unwrap();
    runtime.list_workers(&ListQuery::default()).await.unwrap();
    store.read(Reads::Well);
    runtime.observe(&w, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_observation_that_cannot_read_on_ends() {
    let (runtime, store) = impatient().await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "hello").await;
    store.read(Reads::Hang);
    let StreamEnd::Failed(failure) = watch.end().await else {
        panic!("it did not fail: {:?}", watch.seen());
    };
    assert_eq!(failure.code, Code::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_and_waits_again_does_not_wait_for_ever() {
    let (runtime, store) = impatient().await;
    let mut observation = runtime.observe(&id("w"), None).await.unwrap();
    send(&runtime, "w", "hello").await;
    observation.next().await.unwrap();
    store.read(Reads::Hang);
    let mut waits = 0;
    // As a server does that has other things to look after, like pings.
    let end = loop {
        match tokio::time::timeout(Duration::from_millis(5), observation.next()).await {
            Ok(next) => break next.unwrap_err(),
            Err(_) => waits += 1,
        }
        assert!(waits < 100, "it still waits for the store");
    };
    let StreamEnd::Failed(failure) = end else {
        panic!("it did not fail: {end:?}");
    };
    assert_eq!(failure.code, Code::TimedOut);
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn why_a_read_failed_is_in_the_log_and_nowhere_else() {
    let (runtime, store) = impatient().await;
    send(&runtime, "w", "hello").await;
    settled(&runtime, "w").await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    store.read(Reads::Fail(StoreError::Damaged(
        "record 7 is torn".to_owned(),
    )));
    let w = id("w");
    let transcript = runtime.transcript(&w, &TranscriptQuery::default()).await;
    assert_failed(transcript.err());
    assert_eq!(causes(&log), 1, "{}", log.text());
    assert_failed(runtime.observe(&w, None).await.err());
    assert_eq!(causes(&log), 2, "{}", log.text());
}

fn assert_failed(error: Option<RuntimeError>) {
    let effect = Effect::None;
    assert_eq!(error, Some(RuntimeError::StoreFailed { effect }));
}

/// How many lines of the log tell the cause, and of which Worker.
fn causes(log: &Log) -> usize {
    let tells = |line: &&str| line.contains("record 7 is torn") && line.contains("worker_id=w");
    log.text().lines().filter(tells).count()
}
