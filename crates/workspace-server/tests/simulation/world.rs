//! A run: its machines, and what goes wrong with them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use turmoil::Sim;
use worker_runtime::{Clock, ProfileSpec, Runtime, StartError, http};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_config::{Secret, SecretSource};
use yoi_http_kit::{Browsers, OriginGuard, TokenSet};
use yoi_protocol::{RuntimeId, Timestamp, WorkerId};
use yoi_testkit::{SequentialIds, TestStore};
use yoi_workspace_server::{
    Backend, Backoff, BulkheadSettings, CircuitSettings, HttpSettings, KeyRing,
    ObservationSettings, PresenceSettings, Registration, RemoteSettings, SealKey, serve,
};

use super::auditor::audit;
use super::client::Desk;
use super::commander::command;
use super::judge::judge;
use super::ledger::Ledger;
use super::net::{Listening, Open, Secrets, Simulated};
use super::network::Network;
use super::plan::Plan;
use super::talker::Talker;
use super::watcher::watch;

/// A run that has not ended by then is stuck.
const AT_LAST: Duration = Duration::from_secs(300);
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What of a Runtime outlives its crashes.
#[derive(Clone)]
pub(crate) struct Machine {
    id: RuntimeId,
    pub(crate) name: String,
    token: String,
    pub(crate) store: Arc<TestStore>,
    ids: Arc<SequentialIds>,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) place: Place,
}

/// Where a server runs.
#[derive(Clone, Default)]
pub(crate) struct Place {
    open: Open,
    /// Ends the present start of it.
    end: Arc<Mutex<CancellationToken>>,
}

impl Place {
    /// What ends the start that begins here.
    fn starts(&self) -> CancellationToken {
        let end = CancellationToken::new();
        *self.end.lock().unwrap() = end.clone();
        end
    }

    pub(crate) fn ends(&self) {
        self.end.lock().unwrap().cancel();
    }

    /// Whether it was told to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.end.lock().unwrap().is_cancelled()
    }
}

/// The time of the simulation, or another.
#[derive(Debug, Default)]
pub(crate) struct SimulatedClock(AtomicI64);

impl SimulatedClock {
    /// Is wrong by so many seconds from now on.
    pub(crate) fn jump(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap();
        let wrong = self.0.load(Ordering::Relaxed) * 1000;
        Timestamp::from_unix_ms(1_770_000_000_000 + elapsed + wrong)
    }
}

/// The machine of a Backend.
pub(crate) fn backend(number: usize) -> String {
    format!("backend-{number}")
}

/// Does what a plan says, and gives what happened.
pub(crate) fn run(plan: &Plan) -> Vec<String> {
    fastrand::seed(plan.seed);
    let ledger = Arc::new(Ledger::default());
    let machines: Vec<Machine> = (0..plan.runtimes).map(machine).collect();
    let texts = |machine: &Machine| [machine.name.clone(), machine.token.clone()];
    let secrets = Arc::new(Secrets {
        texts: machines.iter().flat_map(texts).collect(),
        ..Secrets::default()
    });
    let mut sim = turmoil::Builder::new()
        .rng_seed(plan.seed)
        .simulation_duration(AT_LAST)
        .tick_duration(Duration::from_millis(10))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(plan.latency)
        .tcp_capacity(65_536)
        .build();
    for machine in &machines {
        let serving = machine.clone();
        sim.host(machine.name.clone(), move || runs(serving.clone()));
    }
    let backends: Vec<Place> = (0..plan.backends).map(|_| Place::default()).collect();
    for (number, place) in backends.iter().enumerate() {
        let (machines, place) = (machines.clone(), place.clone());
        sim.host(backend(number), move || {
            stands_between(backend(number), machines.clone(), place.clone())
        });
    }
    let places = machines.iter().map(|machine| &machine.place);
    let open = places.chain(&backends).map(|place| Arc::clone(&place.open));
    let open = open.collect();
    let people = people(&mut sim, plan, &machines, open, &secrets, &ledger);
    let network = Network::new(sim, plan, &machines, &backends, &people);
    network.run(&ledger);
    assert_eq!(ledger.count_done(), people.len());
    let records = machines.iter().flat_map(|machine| machine.store.records());
    judge(&ledger, records.collect(), &secrets);
    ledger.take_trace()
}

fn machine(number: usize) -> Machine {
    Machine {
        id: RuntimeId::parse(&format!("rt-{number}")).unwrap(),
        name: format!("machine-{number}.internal"),
        token: format!("the-secret-token-of-{number}"),
        store: TestStore::new(),
        ids: SequentialIds::new(),
        clock: Arc::default(),
        place: Place::default(),
    }
}

/// Everybody who tells, watches and looks; the names of those for whom the last one waits.
fn people(
    sim: &mut Sim<'_>,
    plan: &Plan,
    machines: &[Machine],
    open: Vec<Open>,
    secrets: &Arc<Secrets>,
    ledger: &Arc<Ledger>,
) -> Vec<String> {
    let desk = |name: &str| Desk {
        name: name.to_owned(),
        backends: plan.backends,
        secrets: Arc::clone(secrets),
        ledger: Arc::clone(ledger),
    };
    let mut workers = Vec::new();
    let mut others = Vec::new();
    for number in 0..plan.workers {
        let runtime = machines[number % machines.len()].id.clone();
        let worker = WorkerId::parse(&format!("w-{number}")).unwrap();
        workers.push((runtime.clone(), worker.clone()));
        let name = format!("commander-{number}");
        others.push(name.clone());
        let commanding = command(desk(&name), runtime.clone(), worker.clone(), plan.inputs);
        sim.client(name, async move {
            commanding.await;
            Ok(())
        });
        for watcher in 0..plan.watchers {
            let name = format!("watcher-{number}-{watcher}");
            others.push(name.clone());
            let watching = watch(desk(&name), runtime.clone(), worker.clone());
            sim.client(name, async move {
                watching.await;
                Ok(())
            });
        }
    }
    let auditing = audit(desk("auditor"), others.len(), workers, open);
    sim.client("auditor", async move {
        auditing.await;
        Ok(())
    });
    others
}

/// A Runtime on its machine, from one start to the next crash.
async fn runs(machine: Machine) -> turmoil::Result {
    let end = machine.place.starts();
    let builder = Runtime::builder(machine.id)
        .store(machine.store)
        .ids(machine.ids)
        .clock(machine.clock)
        .profile("talker", ProfileSpec::new(Talker))
        .default_profile("talker");
    let runtime = loop {
        match builder.clone().start().await {
            Ok(runtime) => break runtime,
            // Its disk is full, and a run is to be recorded as interrupted.
            Err(StartError::Store(_)) => sleep(Duration::from_millis(300)).await,
            Err(error) => return Err(error.into()),
        }
    };
    let mut settings = settings(&machine.name, &Browsers::Forbidden);
    let token = machine.token;
    settings.tokens =
        TokenSet::open().with("backend", Arc::new(move || Some(token.clone().into())));
    http::serve(
        Listening::bind(&machine.place.open).await,
        runtime,
        settings,
        end.cancelled_owned(),
    )
    .await;
    Ok(())
}

/// A Backend on its machine, from one start to the next crash.
async fn stands_between(name: String, machines: Vec<Machine>, place: Place) -> turmoil::Result {
    let end = place.starts();
    let mut builder = Backend::builder()
        .keys(KeyRing::new(SealKey::from_base64(KEY).unwrap(), Vec::new()))
        .presence(PresenceSettings {
            every: Duration::from_secs(1),
            stale_after: Duration::from_secs(4),
        })
        .observation(ObservationSettings {
            linger: Duration::from_secs(1),
            catch_up_wait: Duration::from_secs(2),
            catch_up_patience: Duration::from_secs(60),
            backoff: Backoff {
                base: Duration::from_millis(100),
                max: Duration::from_secs(1),
            },
            ..ObservationSettings::default()
        });
    for machine in machines {
        let mut remote = RemoteSettings::new(format!("http://{}", machine.name));
        remote.allow_plain_http = true;
        remote.token = Some(Arc::new(SecretSource::fixed(Secret::new(machine.token))));
        remote.timeouts = Timeouts {
            connect: Duration::from_millis(500),
            response: Duration::from_secs(1),
            request: Duration::from_secs(2),
        };
        remote.retry = RetryPolicy::default();
        remote.circuit = CircuitSettings {
            failures: 3,
            pause: Backoff {
                base: Duration::from_millis(300),
                max: Duration::from_secs(2),
            },
        };
        remote.bulkhead = BulkheadSettings::default();
        remote.idle = Duration::from_secs(3);
        remote.transport = Some(Arc::new(Simulated {
            connect: remote.timeouts.connect,
            secrets: None,
            open: Arc::clone(&place.open),
        }));
        builder = builder.runtime(Registration::remote(machine.id, &remote)?);
    }
    let browsers = Browsers::Allowed {
        origins: Vec::new(),
    };
    let settings = settings(&name, &browsers);
    serve(
        Listening::bind(&place.open).await,
        builder.build()?,
        settings,
        end.cancelled_owned(),
    )
    .await;
    Ok(())
}

fn settings(name: &str, browsers: &Browsers) -> HttpSettings {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], super::net::PORT));
    let guard = OriginGuard::new(anywhere, &[name.to_owned()], browsers).unwrap();
    let mut settings = HttpSettings::new(guard);
    settings.header_timeout = Duration::from_secs(3);
    settings.write_timeout = Duration::from_secs(3);
    settings.drain_timeout = Duration::from_secs(2);
    settings.ping_every = Duration::from_secs(1);
    settings.pong_timeout = Duration::from_secs(1);
    settings
}
