//! A Runtime that says that nothing can follow, as those feel it who watch: they stay away for
//! good only when that can be so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use yoi_protocol::{RawFrame, StreamEnd};
use yoi_testkit::eventually;
use yoi_workspace_server::{Backend, ObservationSettings, Registration, Upstream};

use crate::double::{Counts, Double, Told, caught_up, event};
use crate::support::{Served, embedded, registered, remote};

const WORKER: &str = "/api/runtimes/inside/workers/w-1";

fn shown(status: &str) -> Value {
    event(1, json!({"type": "snapshot", "worker": {"status": status}}))
}

fn used(seq: u64) -> Value {
    event(seq, json!({"type": "usage", "run_id": "run-1"}))
}

fn stopped(seq: u64) -> Value {
    event(seq, json!({"type": "worker_stopped"}))
}

fn busy() -> Value {
    json!({"kind": "control", "control": {"type": "caught_up", "in_flight": {"run_id": "run-1"}}})
}

fn said() -> Value {
    json!({"kind": "delta", "worker_id": "w-1",
        "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": "so"}})
}

/// A Runtime whose observers are told one of these after the other; of the last, and whenever it is
/// asked again, that this is all.
async fn telling(streams: impl IntoIterator<Item = Vec<Value>>) -> (Served, Arc<Counts>) {
    let (runtime, _script) = embedded("inside").await;
    let streams: Mutex<VecDeque<_>> = Mutex::new(streams.into_iter().collect());
    let double = Double::of(runtime).observed(move || {
        let mut streams = streams.lock().unwrap();
        let told = streams.pop_front().unwrap_or_default();
        let end = streams.is_empty().then_some(Err(StreamEnd::Complete));
        Told::new(told.into_iter().map(Ok).chain(end))
    });
    over(double).await
}

/// A Backend that keeps no upstream which nobody reads.
async fn over(double: Double) -> (Served, Arc<Counts>) {
    let counts = double.counts();
    let builder = Backend::builder()
        .runtime(double.registered("inside"))
        .observation(ObservationSettings {
            linger: Duration::ZERO,
            ..ObservationSettings::default()
        });
    (Served::start(builder).await, counts)
}

/// The cursor of a snapshot, whose upstream is gone.
async fn left(served: &Served, counts: &Counts) -> String {
    let seen = served.watch(WORKER, "").await.until_caught_up().await;
    eventually("its upstream is closed", async || match counts.open() {
        0 => Ok(()),
        open => Err(open),
    })
    .await;
    seen[0]["cursor"].as_str().unwrap().to_owned()
}

/// The end of whoever comes without a cursor.
async fn afresh(told: Vec<Value>) -> (Option<String>, u16) {
    let (served, _) = telling([told]).await;
    served.watch(WORKER, "").await.end().await
}

/// The end of whoever comes back with the cursor of a snapshot.
async fn resumed(told: Vec<Value>) -> (Option<String>, u16) {
    let (served, counts) = telling([vec![shown("idle"), caught_up()], told]).await;
    let query = format!("?cursor={}", left(&served, &counts).await);
    served.watch(WORKER, &query).await.end().await
}

fn broken() -> (Option<String>, u16) {
    (Some("runtime_protocol_error".into()), 4502)
}

#[tokio::test]
async fn an_end_before_the_worker_stopped_breaks_the_contract() {
    for told in [
        vec![],
        vec![shown("idle")],
        vec![shown("idle"), caught_up()],
        vec![shown("running"), caught_up(), used(2)],
    ] {
        assert_eq!(afresh(told.clone()).await, broken(), "{told:?}");
    }
    for told in [
        vec![used(2)],
        vec![used(2), caught_up()],
        vec![caught_up(), used(2)],
        vec![busy()],
        vec![caught_up(), said()],
    ] {
        assert_eq!(resumed(told.clone()).await, broken(), "{told:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_stopped_worker_is_the_end() {
    for told in [
        vec![shown("stopped")],
        vec![shown("stopped"), caught_up()],
        vec![shown("idle"), stopped(2), caught_up()],
        vec![shown("idle"), caught_up(), used(2), stopped(3)],
    ] {
        assert_eq!(afresh(told.clone()).await, (None, 1000), "{told:?}");
    }
    for told in [
        // Nothing was missed: the cursor may be that of the last event.
        vec![],
        vec![caught_up()],
        vec![used(2), stopped(3), caught_up()],
        vec![caught_up(), stopped(2)],
    ] {
        assert_eq!(resumed(told.clone()).await, (None, 1000), "{told:?}");
    }
}

/// Says that nothing can follow once it may.
struct Later(VecDeque<Value>, Arc<Semaphore>);

#[async_trait]
impl Upstream for Later {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        if let Some(frame) = self.0.pop_front() {
            return Ok(RawFrame::parse(&frame.to_string()).unwrap());
        }
        let _may = self.1.acquire().await;
        Err(StreamEnd::Complete)
    }
}

#[tokio::test]
async fn whoever_comes_to_others_brings_what_it_was_told() {
    for (status, end) in [("idle", broken()), ("stopped", (None, 1000))] {
        let (runtime, _script) = embedded("inside").await;
        let streams = Mutex::new(VecDeque::from([
            vec![shown("idle"), caught_up()],
            vec![caught_up()],
            vec![shown(status), caught_up()],
        ]));
        let gates = Mutex::new(VecDeque::from([Arc::new(Semaphore::new(0))]));
        let gate = Arc::new(Semaphore::new(0));
        let shared = Arc::clone(&gate);
        let double = Double::of(runtime).observed(move || {
            let told = streams.lock().unwrap().pop_front().unwrap_or_default();
            let gate = gates.lock().unwrap().pop_front();
            Later(told.into(), gate.unwrap_or_else(|| Arc::clone(&shared)))
        });
        let (served, counts) = over(double).await;
        let query = format!("?cursor={}", left(&served, &counts).await);
        // This one shares its upstream, which has told of no event.
        let mut back = served.watch(WORKER, &query).await;
        back.until_caught_up().await;
        let mut other = served.watch(WORKER, "").await;
        other.until_caught_up().await;
        gate.add_permits(1);
        assert_eq!(other.end().await, end);
        assert_eq!(back.end().await, end);
    }
}

async fn ends_with_the_worker(served: &Served, runtime: &str) {
    let path = served.create(runtime, "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    served.post(&format!("{path}/stop"), json!({})).await;
    let told = watcher.until_event("worker_stopped").await;
    assert_eq!(watcher.end().await, (None, 1000));
    let last = told.last().unwrap()["cursor"].as_str().unwrap();
    for query in [String::new(), format!("?cursor={last}")] {
        let mut late = served.watch(&path, &query).await;
        assert_eq!(late.end().await, (None, 1000), "{query}");
    }
}

#[tokio::test]
async fn a_stopped_worker_of_either_kind_of_runtime_is_told_to_its_end() {
    let (inside, _script) = embedded("inside").await;
    let served = Served::over(Registration::embedded(inside)).await;
    ends_with_the_worker(&served, "inside").await;
    let (outside, _script) = remote("outside").await;
    let served = Served::over(registered(&outside)).await;
    ends_with_the_worker(&served, "outside").await;
}
