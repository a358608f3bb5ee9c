//! A Backend, a Runtime in its place, and one fault.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::timeout;
use yoi_protocol::{Operation, RuntimeId};
use yoi_workspace_server::{Backoff, CircuitSettings, ObservationSettings, PresenceSettings};

use super::ask::request;
use super::judge::{self, Case, Wrong};
use super::scene::Scene;
use super::watch::Watch;
use super::{Answered, Cell, Found, Pace, Place, Times, Told, Watched, ask};
use crate::browser::Browser;
use crate::{Canaries, Fault, TestBackend, TestBackendBuilder};

/// The Runtime of every cell.
pub(super) const RUNTIME: &str = "gpu-1";

/// A Backend looks at its Runtimes once, as it starts: what it asks later is the test's doing.
const LOOKS_ONCE: PresenceSettings = PresenceSettings {
    every: Duration::from_secs(24 * 60 * 60),
    stale_after: Duration::from_secs(24 * 60 * 60),
};

/// Longer than a Backend looks at a Runtime.
const ONE_LOOK: Duration = Duration::from_secs(5);
/// How often a stage is set before that is given up.
const SETS: usize = 5;

/// What a caller needs to play its cell.
struct Stage<'a> {
    backend: &'a TestBackend,
    browser: Browser,
    canaries: &'a Canaries,
    scene: &'a Scene,
    pace: &'a Pace,
}

/// Plays all cells of one place and one fault.
pub(super) async fn play(
    place: Place,
    fault: Fault,
    times: Times,
    operations: Vec<(Operation, Option<&'static str>)>,
    pace: &Pace,
) -> Vec<Cell> {
    let possible: Vec<Operation> = operations
        .iter()
        .filter(|(_, why_not)| why_not.is_none())
        .map(|(operation, _)| *operation)
        .collect();
    let mut played = match possible.is_empty() {
        true => Vec::new(),
        // A store that has failed so takes nothing more: each needs one of its own.
        false if fault == Fault::StoreUncertain => {
            let alone = possible.chunks(1);
            let played = alone.map(|one| set_and_play(place, fault, times, one, pace));
            join_all(played).await.concat()
        }
        false => set_and_play(place, fault, times, &possible, pace).await,
    }
    .into_iter();
    let cell = |(operation, why_not): (Operation, Option<&'static str>)| {
        let (found, wrong) = match why_not {
            Some(why) => (Found::Cannot(why), Vec::new()),
            None => played.next().expect("one for each that is possible"),
        };
        Cell {
            place,
            operation,
            fault,
            found,
            wrong,
        }
    };
    operations.into_iter().map(cell).collect()
}

async fn set_and_play(
    place: Place,
    fault: Fault,
    times: Times,
    operations: &[Operation],
    pace: &Pace,
) -> Vec<(Found, Vec<String>)> {
    let pace = &pace.during(fault);
    let (canaries, scene, backend) = set(place, fault, operations, pace).await;
    let harm = scene.harm(&backend, fault).await;
    let stage = Stage {
        backend: &backend,
        browser: backend.browser(),
        canaries: &canaries,
        scene: &scene,
        pace,
    };
    let case = |operation: &Operation| Case {
        operation: *operation,
        fault,
        times,
    };
    // A rotation is one for all: who comes second would show what is good already.
    let mut found = match fault {
        Fault::CredentialRotated => {
            let mut found = Vec::new();
            for operation in operations {
                found.push(stage.play(case(operation)).await);
            }
            found
        }
        _ => {
            join_all(
                operations
                    .iter()
                    .map(|operation| stage.play(case(operation))),
            )
            .await
        }
    };
    let mut all = look(&stage.browser, &canaries).await;
    let surprises = scene.surprises();
    all.extend(
        surprises
            .iter()
            .map(|surprise| format!("nobody expected {surprise}")),
    );
    for (_, wrong) in &mut found {
        wrong.extend(all.iter().cloned());
    }
    drop(harm);
    // What it asks while it ends is nobody's.
    backend.kill().await;
    let _ = scene.surprises();
    found
}

/// Sets a stage. The times of the fault hold already, so a busy machine may have to do so again.
async fn set(
    place: Place,
    fault: Fault,
    operations: &[Operation],
    pace: &Pace,
) -> (Canaries, Scene, TestBackend) {
    let mut last = String::new();
    for _ in 0..SETS {
        let mut canaries = Canaries::new();
        let (mut scene, builder) = Scene::set(place, &mut canaries, pace).await;
        let backend = tuned(builder, pace).start().await;
        // It knows then that keys are honoured.
        let prepared = match timeout(ONE_LOOK, backend.until_seen()).await {
            Ok(()) => scene.prepare(&backend, fault, operations).await,
            Err(_) => Err("the Backend has not seen its Runtime".to_owned()),
        };
        match prepared {
            Ok(()) => return (canaries, scene, backend),
            Err(error) => last = error,
        }
        backend.kill().await;
        let _ = scene.surprises();
    }
    panic!("{place:?} {fault}: not set in {SETS} attempts: {last}")
}

fn tuned(builder: TestBackendBuilder, pace: &Pace) -> TestBackendBuilder {
    let observation = ObservationSettings {
        backoff: Backoff {
            base: pace.retry.base,
            max: pace.retry.max,
        },
        ..ObservationSettings::default()
    };
    builder
        .timeouts(pace.timeouts)
        .retry(pace.retry)
        .idle(pace.idle)
        .circuit(CircuitSettings::NEVER)
        .backend(move |backend| backend.presence(LOOKS_ONCE).observation(observation))
}

impl Stage<'_> {
    async fn play(&self, case: Case) -> (Found, Vec<String>) {
        let mut wrong = Wrong::default();
        let committed = self.scene.commit(case).await;
        let found = match case.operation {
            Operation::Events => self.watch(case, &mut wrong).await.map(Found::Watched),
            _ => Some(Found::Answered(self.ask(case, &mut wrong).await)),
        };
        if committed.fired() == 0 {
            wrong.that("the fault never happened");
        }
        if let (Some(seed), false) = (self.scene.seed(), wrong.is_empty()) {
            wrong.that(format!("the seed of this link is {seed}"));
        }
        let found = found.unwrap_or(Found::Cannot("the stream did not open"));
        (found, wrong.into_vec())
    }

    async fn ask(&self, case: Case, wrong: &mut Wrong) -> Answered {
        let Case { operation, .. } = case;
        // What is so already, as after a Runtime that shuts down has ended its runs, is not the
        // command's doing.
        let truth = self.scene.truth(self.backend);
        let open = match &truth {
            Some(truth) if operation.is_command() => !truth.applied(operation).await,
            _ => false,
        };
        let began = Instant::now();
        let reply = request(&self.browser, &runtime_id(), operation, self.pace).await;
        let within = judge::within(case, self.pace);
        wrong.late(began.elapsed(), within, self.pace);
        let success = (200..300).contains(&reply.status);
        let head = format!("{:?}", reply.headers);
        wrong.shown(self.canaries, [&*head, reply.text()]);
        let problem = (!success).then(|| reply.problem());
        if let Some(problem) = &problem {
            judge::problem(case, problem, &reply, wrong);
        }
        let answered = Answered {
            status: reply.status,
            told: problem.map(Told::from),
            replayed: reply.header("idempotency-replayed") == Some("true"),
            tries: self.scene.tries(operation),
            within,
        };
        let applied = match &truth {
            Some(truth) if open => Some(truth.applied(operation).await),
            _ => None,
        };
        judge::answered(case, &answered, applied, wrong);
        answered
    }

    async fn watch(&self, case: Case, wrong: &mut Wrong) -> Option<Watched> {
        let path = ask::path(&runtime_id(), Operation::Events);
        let mut watch = match Watch::open(self.backend.address(), &path).await {
            Ok(watch) => watch,
            Err(error) => {
                wrong.that(error);
                return None;
            }
        };
        if watch.until_caught_up(self.pace.patience).await {
            self.scene.stir().await;
            watch.until_over(judge::awaits(case), self.pace).await;
        }
        wrong.shown(self.canaries, watch.said.iter().map(String::as_str));
        let tries = self.scene.tries(Operation::Events);
        let watched = watch.watched(tries.map(|tries| tries.tried));
        judge::watched(case, &watch, &watched, wrong);
        wrong.and(watch.wrong);
        Some(watched)
    }
}

/// What a Backend says of its Runtimes, and of itself, without asking them.
const VIEWS: [&str; 3] = ["/api/runtimes", "/api/runtimes/gpu-1", "/metrics"];

/// What a Backend says afterwards of a Runtime to which all that happened shows no secret, either.
async fn look(browser: &Browser, canaries: &Canaries) -> Vec<String> {
    let mut wrong = Wrong::default();
    for view in VIEWS {
        let reply = browser.ask("GET", view).await;
        wrong.unless(reply.status == 200, || format!("{view}: {reply:?}"));
        wrong.shown(canaries, [reply.text()]);
    }
    wrong.into_vec()
}

pub(super) fn runtime_id() -> RuntimeId {
    RuntimeId::parse(RUNTIME).expect("it is one")
}
