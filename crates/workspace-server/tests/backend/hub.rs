//! Observation of Runtimes that hang, fall behind or end, as those feel it who watch.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use yoi_protocol::{
    Code, CreateWorker, InputRequest, Phase, RawFrame, RuntimeId, StreamEnd, WorkerId,
};
use yoi_workspace_server::{
    Backend, Caller, ObservationSettings, Registration, Upstream, Watch, WatchedFrame,
};

use crate::double::{Double, Told, caught_up, event, snapshot};
use crate::support::{PATIENCE, STILL, Served, dense, embedded, id};

fn worker(name: &str) -> WorkerId {
    WorkerId::parse(name).unwrap()
}

pub(crate) async fn watch(
    backend: &Backend,
    runtime: &str,
    name: &str,
) -> Result<Watch, StreamEnd> {
    let caller = Caller::default();
    backend
        .watch(&caller, &id(runtime), &worker(name), None)
        .await
}

async fn create(backend: &Backend, runtime: &RuntimeId, name: &str) {
    let body = CreateWorker {
        worker_id: Some(worker(name)),
        ..CreateWorker::default()
    };
    let created = backend.create_worker(Caller::default(), runtime, body);
    created.await.unwrap();
}

fn says(frame: &WatchedFrame, what: &str) -> bool {
    std::str::from_utf8(&frame.text).unwrap().contains(what)
}

async fn caught_up_of(watch: &mut Watch) {
    while !says(&watch.next().await.unwrap(), "caught_up") {}
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_hangs_holds_up_nobody_who_watches_another() {
    let (behind, _script) = embedded("hung").await;
    let (well, _other) = embedded("well").await;
    let backend = Backend::builder()
        .runtime(
            Double::of(behind)
                .observed(Told::nothing)
                .registered("hung"),
        )
        .runtime(Registration::embedded(well))
        .presence(STILL)
        .observation(ObservationSettings {
            max_catch_ups: 2,
            catch_up_wait: Duration::from_secs(1),
            ..ObservationSettings::default()
        })
        .build()
        .unwrap();
    create(&backend, &id("well"), "w-1").await;
    let mut hanging = Vec::new();
    for n in 0..2 {
        hanging.push(watch(&backend, "hung", &format!("w-{n}")).await.unwrap());
    }
    // All its places are taken, and stay so for a while.
    let refused = watch(&backend, "hung", "w-9").await.map(drop).unwrap_err();
    assert!(
        matches!(&refused, StreamEnd::Failed(failure) if failure.code == Code::LimitReached),
        "{refused:?}"
    );
    let mut served = watch(&backend, "well", "w-1").await.unwrap();
    let served = timeout(Duration::from_secs(5), caught_up_of(&mut served));
    served.await.expect("held up by another runtime");
}

/// Tells one event every so often, and never that this is all.
struct Trickle {
    seq: u64,
    every: Duration,
    next_at: Instant,
}

impl Trickle {
    fn new(every: Duration) -> Self {
        Self {
            seq: 0,
            every,
            next_at: Instant::now() + every,
        }
    }
}

#[async_trait]
impl Upstream for Trickle {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        sleep(self.next_at.saturating_duration_since(Instant::now())).await;
        self.next_at += self.every;
        self.seq += 1;
        let frame = match self.seq {
            1 => snapshot(),
            seq => event(seq, json!({"type": "usage", "run_id": "run-1"})),
        };
        Ok(RawFrame::parse(&frame.to_string()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_does_not_come_to_the_end_of_the_past_is_given_up() {
    for every in [Duration::MAX / 4, Duration::from_secs(4)] {
        let every = every.min(Duration::from_secs(86_400));
        let (runtime, _script) = embedded("hung").await;
        let double = Double::of(runtime).observed(move || Trickle::new(every));
        let backend = Backend::builder()
            .runtime(double.registered("hung"))
            .presence(STILL)
            .observation(ObservationSettings {
                max_catch_ups: 1,
                catch_up_wait: Duration::from_secs(60),
                ..ObservationSettings::default()
            })
            .build()
            .unwrap();
        // The second waits for the place of the first.
        for _ in 0..2 {
            let began = Instant::now();
            let mut hanging = watch(&backend, "hung", "w-1").await.unwrap();
            let end = loop {
                // Whoever asks again after having been interrupted waits no longer for that.
                let asked = timeout(Duration::from_secs(1), hanging.next());
                if let Ok(Err(end)) = asked.await {
                    break end;
                }
                assert!(began.elapsed() < Duration::from_secs(60), "no end");
            };
            let StreamEnd::Failed(failure) = end else {
                panic!("{end:?}")
            };
            assert_eq!(failure.code, Code::RuntimeTimedOut);
            assert_eq!(failure.details.phase, Some(Phase::Body));
            let took = began.elapsed();
            assert!(took < Duration::from_secs(20), "{took:?}");
        }
    }
}

#[tokio::test]
async fn a_client_whose_own_upstream_fell_behind_is_told_to_come_back_with_its_cursor() {
    let (runtime, _script) = embedded("inside").await;
    let told = || Told::new([Ok(snapshot()), Err(StreamEnd::SlowConsumer)]);
    let served = Served::over(Double::of(runtime).observed(told).registered("inside")).await;
    let mut watcher = served.watch("/api/runtimes/inside/workers/w-1", "").await;
    assert_eq!(watcher.end().await, (Some("slow_consumer".into()), 1013));
}

#[tokio::test]
async fn an_event_that_comes_again_late_is_dropped() {
    let (runtime, _script) = embedded("inside").await;
    let started = event(2, json!({"type": "run_started", "run_id": "run-1"}));
    let called = event(3, json!({"type": "usage", "run_id": "run-1"}));
    let finished = event(
        4,
        json!({"type": "run_finished", "run_id": "run-1", "outcome": "completed"}),
    );
    let double = Double::of(runtime).observed(move || {
        let told = [
            snapshot(),
            caught_up(),
            started.clone(),
            called.clone(),
            started.clone(),
            snapshot(),
            finished.clone(),
        ];
        Told::new(told.map(Ok))
    });
    let served = Served::over(double.registered("inside")).await;
    let mut watcher = served.watch("/api/runtimes/inside/workers/w-1", "").await;
    let story = watcher.until_event("run_finished").await;
    assert_eq!(dense(&story), [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_of_a_runtime_inside_is_told_how_its_run_ended_before_the_backend_ends() {
    for attempt in 0..20 {
        let (runtime, mut script) = embedded("inside").await;
        let inside = id("inside");
        let backend = Backend::builder()
            .runtime(Registration::embedded(runtime))
            .presence(STILL)
            .build()
            .unwrap();
        create(&backend, &inside, "w-1").await;
        let mut watching = Vec::new();
        for _ in 0..5 {
            let mut watch = watch(&backend, "inside", "w-1").await.unwrap();
            caught_up_of(&mut watch).await;
            watching.push(tokio::spawn(async move {
                let mut finished = false;
                loop {
                    match watch.next().await {
                        Ok(frame) => finished |= says(&frame, "run_finished"),
                        Err(end) => return (finished, end),
                    }
                }
            }));
        }
        let input = InputRequest::new("go");
        backend
            .send_input(Caller::default(), &inside, &worker("w-1"), input)
            .await
            .unwrap();
        let _run = script.next_run().await;
        timeout(PATIENCE, backend.drain(Duration::from_secs(10)))
            .await
            .expect("the end takes too long");
        for watching in watching {
            let told = timeout(PATIENCE, watching).await.unwrap().unwrap();
            assert_eq!(told, (true, StreamEnd::Draining), "try {attempt}");
        }
    }
}
