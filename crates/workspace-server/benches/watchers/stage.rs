//! A Runtime, a Backend before it, and what both are asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use yoi_client::{Call, Client, Workers};
use yoi_protocol::{Api, CreateWorker, InputRequest, WorkerId};
use yoi_testkit::eventually;

use crate::crowd::Crowd;
use crate::load::Load;
use crate::servers::{ServerProcess, runtime_id};
use crate::tally::Report;

/// Whom watchers ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Runtime,
    Backend,
}

impl Door {
    pub(crate) const BOTH: [Self; 2] = [Self::Runtime, Self::Backend];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Runtime => "Runtime",
            Self::Backend => "Backend",
        }
    }
}

/// A Runtime, and a Backend before it.
pub(crate) struct Stage {
    pub(crate) runtime: ServerProcess,
    pub(crate) backend: ServerProcess,
    workers: Workers,
    created: AtomicU64,
    /// The connections that the Backend has to the Runtime while nobody watches.
    connections: usize,
}

/// What a load was to the watchers, and what it cost: processors, by who used them.
pub(crate) struct Played {
    pub(crate) report: Report,
    /// The connections by which the Backend watches.
    pub(crate) upstreams: usize,
    pub(crate) runtime: f64,
    pub(crate) backend: f64,
    pub(crate) crowd: f64,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let runtime = ServerProcess::runtime();
        let backend = ServerProcess::backend(&runtime);
        let client = Client::builder(runtime.url()).unwrap().build().unwrap();
        let mut stage = Self {
            runtime,
            backend,
            workers: client.workers(Api::Runtime),
            created: AtomicU64::new(0),
            connections: 0,
        };
        // The Backend has asked what the Runtime is, and keeps that connection.
        eventually("the Backend has a connection", async || {
            match stage.connections_now() {
                0 => Err("none"),
                _ => Ok(()),
            }
        })
        .await;
        stage.connections = stage.connections_now();
        stage
    }

    fn connections_now(&self) -> usize {
        let port = self.runtime.address().port();
        self.backend.pid.connections_to(port)
    }

    /// How many connections the Backend has to the Runtime because somebody watches.
    pub(crate) fn upstreams(&self) -> usize {
        self.connections_now().saturating_sub(self.connections)
    }

    /// Waits until only one is left, which all share.
    pub(crate) async fn until_shared(&self) {
        eventually("all share one upstream", async || match self.upstreams() {
            1 => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// A Worker that nobody knows yet.
    pub(crate) async fn worker(&self) -> WorkerId {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let create = CreateWorker {
            worker_id: Some(WorkerId::parse(&format!("w-{number}")).unwrap()),
            ..CreateWorker::default()
        };
        let created = self.workers.create(&create, &Call::default()).await;
        created.unwrap().value.worker_id
    }

    /// So many watchers of a Worker, who wait for so many pieces.
    pub(crate) fn gather(&self, door: Door, worker: &WorkerId, count: usize, pieces: u64) -> Crowd {
        let (address, path): (SocketAddr, String) = match door {
            Door::Runtime => (
                self.runtime.address(),
                format!("/v1/workers/{worker}/events/ws"),
            ),
            Door::Backend => (
                self.backend.address(),
                format!("/api/runtimes/{}/workers/{worker}/events/ws", runtime_id()),
            ),
        };
        Crowd::gather(address, &path, count, pieces)
    }

    /// Lets so many watchers of a new Worker see a load.
    pub(crate) async fn play(&self, door: Door, count: usize, load: Load) -> Played {
        let worker = self.worker().await;
        let mut crowd = self.gather(door, &worker, count, load.pieces());
        let upstreams = match door {
            Door::Runtime => 0,
            Door::Backend => {
                self.until_shared().await;
                self.upstreams()
            }
        };
        let pids = [self.runtime.pid, self.backend.pid, crowd.pid];
        let before = pids.map(|pid| pid.cpu());
        let input = InputRequest::new(load.to_string());
        let sent = self.workers.input(&worker, &input, &Call::default()).await;
        sent.unwrap();
        let report = crowd.report();
        let took = Duration::from_micros(report.took_us.max(1)).as_secs_f64();
        let after = pids.map(|pid| pid.cpu());
        let [runtime, backend, crowd] =
            [0, 1, 2].map(|at| (after[at] - before[at]).as_secs_f64() / took);
        Played {
            report,
            upstreams,
            runtime,
            backend,
            crowd,
        }
    }
}
