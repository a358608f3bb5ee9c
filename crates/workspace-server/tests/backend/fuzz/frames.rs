//! The frames of a Runtime that does not keep the contract, or of a link that loses some.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use worker_runtime::Runtime;
use yoi_protocol::{
    Code, CreateWorker, Failure, InputRequest, Origin, RawFrame, Reason, StopRequest, StreamEnd,
    WorkerId,
};
use yoi_testkit::{Fuzz, Script};
use yoi_workspace_server::{Backend, Backoff, Caller, ObservationSettings, Upstream};

use super::spoil;
use super::told::Told;
use crate::double::Double;
use crate::support::{STILL, embedded, id};

/// What may happen to frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// They are lost, come twice, late or again, and streams end.
    Order,
    /// They say something else, too.
    Words,
}

/// Harm that happens so often yet.
#[derive(Clone)]
struct Faults {
    harm: Harm,
    left: Arc<AtomicU32>,
    drawn: Arc<AtomicU32>,
    seed: u64,
}

impl Faults {
    fn new(harm: Harm, count: u32, seed: u64) -> Self {
        Self {
            harm,
            left: Arc::new(AtomicU32::new(count)),
            drawn: Arc::default(),
            seed,
        }
    }

    /// Numbers for one stream, which are the same in every run.
    fn rng(&self) -> Rng {
        let nth = self.drawn.fetch_add(1, Ordering::Relaxed);
        Rng::with_seed(self.seed ^ u64::from(nth))
    }

    fn strikes(&self, rng: &mut Rng) -> bool {
        rng.u8(..6) == 0
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }

    fn over(&self) {
        self.left.store(0, Ordering::Relaxed);
    }

    fn observed(&self, inner: Box<dyn Upstream>) -> Result<Box<dyn Upstream>, Failure> {
        let mut rng = self.rng();
        if self.strikes(&mut rng) {
            return Err(unreachable_link());
        }
        Ok(Box::new(Spoiled {
            inner,
            rng,
            faults: self.clone(),
            ahead: VecDeque::new(),
            held: None,
            seen: Vec::new(),
        }))
    }
}

fn unreachable_link() -> Failure {
    Failure::new(Code::RuntimeUnreachable)
        .by(Origin::Link)
        .with_reason(Reason::Refused)
}

/// A stream to which harm is done.
struct Spoiled {
    inner: Box<dyn Upstream>,
    rng: Rng,
    faults: Faults,
    ahead: VecDeque<RawFrame>,
    held: Option<RawFrame>,
    seen: Vec<RawFrame>,
}

#[async_trait]
impl Upstream for Spoiled {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        loop {
            if let Some(frame) = self.ahead.pop_front() {
                return Ok(frame);
            }
            let frame = self.inner.next().await?;
            self.seen.push(frame.clone());
            self.ahead.push_back(frame.clone());
            if self.faults.strikes(&mut self.rng) {
                self.strike(frame)?;
            } else {
                self.ahead.extend(self.held.take());
            }
        }
    }
}

impl Spoiled {
    fn strike(&mut self, frame: RawFrame) -> Result<(), StreamEnd> {
        let kinds = match self.faults.harm {
            Harm::Order => 6,
            Harm::Words => 12,
        };
        match self.rng.u8(..kinds) {
            0 => self.ahead.clear(),
            1 => self.ahead.push_back(frame),
            2 => self.held = self.ahead.pop_back(),
            3 => {
                let again = self.rng.usize(..self.seen.len());
                self.ahead.push_front(self.seen[again].clone());
            }
            4 => return Err(StreamEnd::Failed(unreachable_link())),
            5 => {
                let ends = [
                    StreamEnd::Complete,
                    StreamEnd::Draining,
                    StreamEnd::SlowConsumer,
                ];
                return Err(self.rng.choice(ends).unwrap_or(StreamEnd::Complete));
            }
            _ => {
                let text = spoil::json(&mut self.rng, &frame.to_text());
                // What is no frame is the client's to refuse, and so it does.
                let frame = RawFrame::parse(&text).map_err(|_| {
                    StreamEnd::Failed(Failure::new(Code::RuntimeProtocolError).by(Origin::Runtime))
                })?;
                self.ahead = VecDeque::from([frame]);
            }
        }
        Ok(())
    }
}

/// A Backend whose Runtime is all well but for how it tells of itself.
struct Scene {
    backend: Backend,
    runtime: Runtime,
    script: Script,
    worker_id: WorkerId,
    log: Log,
}

/// Events by `seq`.
type Log = Arc<Mutex<Vec<(u64, Value)>>>;

impl Scene {
    async fn set(faults: &Faults) -> Self {
        let (runtime, script) = embedded("inside").await;
        let faults = faults.clone();
        let double = Double::of(runtime.clone()).passed_on(move |inner| faults.observed(inner));
        let soon = Duration::from_millis(50);
        let backend = Backend::builder()
            .runtime(double.registered("inside"))
            .presence(STILL)
            .observation(ObservationSettings {
                backoff: Backoff {
                    base: soon,
                    max: soon * 4,
                },
                ..ObservationSettings::default()
            })
            .build()
            .unwrap();
        backend.probe().await;
        let worker_id = WorkerId::parse("w-1").unwrap();
        let body = CreateWorker {
            worker_id: Some(worker_id.clone()),
            ..CreateWorker::default()
        };
        let (who, inside) = (Caller::default(), id("inside"));
        let created = backend.create_worker(who, &inside, body);
        created.await.unwrap();
        let log: Log = Arc::default();
        let (of, into, who) = (runtime.clone(), Arc::clone(&log), worker_id.clone());
        tokio::spawn(async move {
            record(&of, &who, |event| into.lock().unwrap().push(event)).await;
        });
        Self {
            backend,
            runtime,
            script,
            worker_id,
            log,
        }
    }

    /// Lets the Worker have a run.
    async fn run(&mut self, rng: &mut Rng) {
        let body = InputRequest::new("go");
        let (who, inside) = (Caller::default(), id("inside"));
        let sent = self.backend.send_input(who, &inside, &self.worker_id, body);
        sent.await.unwrap();
        let run = self.script.next_run().await;
        for _ in 0..rng.u8(..5) {
            run.say(["a", "wörd ", "\u{1F980}", "\n"][rng.usize(..4)])
                .await;
            sleep(Duration::from_millis(rng.u64(..100))).await;
        }
        match rng.bool() {
            true => run.complete(),
            false => run.fail("failed", "it did"),
        }
        sleep(Duration::from_millis(rng.u64(..200))).await;
    }

    /// Somebody who watches from now on.
    fn watch(&self, watchers: &mut JoinSet<Told>) {
        let watched = self.watched(None);
        watchers.spawn(watched);
    }

    /// What somebody is told who comes now, until the end.
    fn watched(&self, cursor: Option<String>) -> impl Future<Output = Told> + 'static {
        let (backend, worker_id) = (self.backend.clone(), self.worker_id.clone());
        async move {
            let (who, inside) = (Caller::default(), id("inside"));
            let mut told = Told::default();
            match backend
                .watch(&who, &inside, &worker_id, cursor.as_deref())
                .await
            {
                Ok(mut watch) => {
                    let _ = timeout(LONG, told.read(&mut watch)).await;
                }
                Err(end) => told.end = Some(end),
            }
            told
        }
    }

    /// What the Runtime has told of all that happened, after an event.
    fn log_after(&self, seq: u64) -> Vec<(u64, Value)> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(at, _)| *at > seq).cloned().collect()
    }

    /// What the Runtime tells somebody who comes now.
    async fn present(&self) -> Vec<(u64, Value)> {
        let mut told = Vec::new();
        record(&self.runtime, &self.worker_id, |event| told.push(event)).await;
        told
    }
}

/// Hears the Runtime itself until the Worker is stopped.
async fn record(runtime: &Runtime, worker_id: &WorkerId, mut heard: impl FnMut((u64, Value))) {
    let mut observation = runtime.observe(worker_id, None).await.unwrap();
    while let Ok(frame) = observation.next().await {
        let frame: Value = serde_json::from_slice(&frame.text).unwrap();
        if frame["kind"] == "event" {
            heard((frame["seq"].as_u64().unwrap(), frame["event"].clone()));
        }
    }
}

/// Longer than anything takes to be mended.
const LONG: Duration = Duration::from_secs(3600);

/// How cases came out.
#[derive(Debug, Default)]
struct Tally {
    mended: u64,
    ended: u64,
}

async fn case(seed: u64, harm: Harm, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let faults = Faults::new(harm, rng.u32(1..6), rng.u64(..));
    let mut scene = Scene::set(&faults).await;
    let mut watchers = JoinSet::new();
    for _ in 0..rng.u8(..2) {
        scene.run(&mut rng).await;
    }
    scene.watch(&mut watchers);
    for _ in 0..rng.u8(1..3) {
        scene.run(&mut rng).await;
        scene.watch(&mut watchers);
    }
    // From here on the Runtime tells the truth, and with what it tells next all is seen.
    faults.over();
    sleep(Duration::from_secs(60)).await;
    scene.run(&mut rng).await;
    let stop = StopRequest::default();
    let (who, inside) = (Caller::default(), id("inside"));
    let stopped = scene.backend.stop(who, &inside, &scene.worker_id, stop);
    stopped.await.map_err(|failure| format!("{failure:?}"))?;

    for mut told in watchers.join_all().await {
        told.check()?;
        tally.mended += u64::from(told.losses() > 0 && told.is_complete());
        // Whoever was ended comes back with the last cursor.
        if let (false, Some(cursor)) = (told.is_complete(), told.cursor()) {
            tally.ended += 1;
            let rest = scene.watched(Some(cursor)).await;
            rest.check()?;
            told.end = rest.end;
            told.frames.extend(rest.frames);
        }
        if harm == Harm::Order {
            whole(&told, &scene)?;
        }
    }
    // And nobody who comes now finds anything of it.
    let fresh = scene.watched(None).await;
    if fresh.events() != scene.present().await || !fresh.is_complete() {
        return Err(format!("the next one is told {fresh:#?}"));
    }
    Ok(())
}

/// Every event after the first that was told is there as the Runtime has it, to the last, and deltas
/// join.
fn whole(told: &Told, scene: &Scene) -> Result<(), String> {
    told.joins()?;
    let events = told.events();
    let Some(((first, _), rest)) = events.split_first() else {
        return Ok(());
    };
    let log = scene.log_after(*first);
    if rest == log && told.is_complete() {
        Ok(())
    } else {
        Err(format!("told {told:#?}\nof {log:#?}"))
    }
}

async fn fuzz(harm: Harm) {
    let mut tally = Tally::default();
    let cases = Fuzz::cases(CASES)
        .run(async |seed| case(seed, harm, &mut tally).await)
        .await;
    println!("{harm:?}: {cases} cases, {tally:?}");
    let Tally { mended, ended } = tally;
    // Few are ended: of few cases perhaps none.
    let is_fair = mended * 10 > cases && (ended > 0 || cases < 1000);
    assert!(is_fair, "hardly anything was tried");
}

/// How many cases there are where no time is given.
const CASES: u64 = 100;

#[tokio::test(start_paused = true)]
async fn frames_that_are_lost_or_come_twice_or_late_are_mended() {
    fuzz(Harm::Order).await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_say_anything_break_nobody() {
    fuzz(Harm::Words).await;
}
