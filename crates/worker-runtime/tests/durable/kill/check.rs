//! What must be there after a start, and what must not.

mod again;
mod events;
mod runs;
mod said;

use std::collections::HashMap;

use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::client::Client;
use super::ledger::{Fate, Known, Operation};
use crate::api::Api;

/// How many Workers that nobody commanded in this round are looked at, about.
const SAMPLE: usize = 6;
/// How many Workers are looked at at a time.
const AT_A_TIME: usize = 8;

/// What a check is told.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) api: Api,
    /// The round that has just ended.
    pub(super) round: u32,
    /// Whether the store gives up what is old.
    pub(super) is_bounded: bool,
    /// Whether every Worker is looked at, and every key.
    pub(super) is_whole: bool,
    /// How much has been sent so far.
    pub(super) said: u64,
    pub(super) seed: u64,
}

/// A Worker as it is listed.
struct Listed {
    id: String,
    status: String,
}

type List = HashMap<String, Listed>;

/// Holds the process that has just started to all that the clients know.
pub(super) async fn check(scope: &Scope, clients: &mut [Client], was_asked: bool) {
    runtime(scope, was_asked).await;
    let listed = list(&scope.api).await;
    let known: Vec<&mut Known> = clients.iter_mut().flat_map(|c| &mut c.workers).collect();
    assert_all_known(&listed, &known);
    let mut rng = Rng::with_seed(scope.seed);
    let mut looked_at = Vec::new();
    for known in known {
        let was_there = settle_creation(&listed, known);
        let odds = SAMPLE as f64 / listed.len().max(1) as f64;
        let is_touched = known.last_round() >= scope.round || known.active_run.is_some();
        if scope.is_whole || is_touched || rng.f64() < odds {
            looked_at.push((known, was_there));
        }
    }
    let scope = &scope;
    let seeds = rng.fork();
    stream::iter(looked_at)
        .for_each_concurrent(AT_A_TIME, |(known, was_there)| {
            let mut rng = seeds.clone();
            async move {
                if let Some(status) = was_there {
                    worker(scope, known, &status, &mut rng).await;
                }
                again::send_again(scope, known, &mut rng).await;
            }
        })
        .await;
    let known: Vec<&mut Known> = clients.iter_mut().flat_map(|c| &mut c.workers).collect();
    assert_all_known(&list(&scope.api).await, &known);
}

async fn runtime(scope: &Scope, was_asked: bool) {
    let info = scope.api.get("/v1/runtime").await;
    assert_eq!(info["store"], "fs", "{info}");
    assert_eq!(info["runtime_id"], "rt-kill", "{info}");
    let told = info["diagnostics"].as_array().expect("a list");
    let is_cut = |told: &Value| !was_asked && told["code"] == "tail_cut";
    assert!(told.iter().all(is_cut), "{info}");
    assert_eq!(info["workers"]["running"], 0, "{info}");
}

/// All Workers by their display names. A name that is there twice was created twice.
async fn list(api: &Api) -> List {
    let mut listed = List::new();
    let mut path = "/v1/workers?limit=1000".to_owned();
    loop {
        let page = api.get(&path).await;
        for worker in page["workers"].as_array().expect("a list") {
            let text = |field: &str| worker[field].as_str().expect("text").to_owned();
            let (id, status) = (text("worker_id"), text("status"));
            let twice = listed.insert(text("display_name"), Listed { id, status });
            assert!(twice.is_none(), "created twice: {worker}");
        }
        let Some(next) = page["next_page"].as_str() else {
            return listed;
        };
        path = format!("/v1/workers?limit=1000&page={next}");
    }
}

/// Whoever was acknowledged is there, and nobody who was never sent.
fn assert_all_known(listed: &List, known: &[&mut Known]) {
    let mut unknown: Vec<&String> = listed.keys().collect();
    unknown.retain(|name| !known.iter().any(|known| known.name == **name));
    assert!(unknown.is_empty(), "never created: {unknown:?}");
    for known in known {
        let found = listed.get(&known.name).map(|listed| &listed.id);
        match known.deeds.first().map(|deed| &deed.fate) {
            Some(Fate::Acknowledged(_) | Fate::Seen) => {
                assert_eq!(found, known.id.as_ref(), "{} is missing", known.name);
            }
            Some(Fate::Absent) | None => assert_eq!(found, None, "{} was not made", known.name),
            Some(Fate::Doubtful) => {}
        }
    }
}

/// Finds out whether a Worker was made; gives its status if it was.
fn settle_creation(listed: &List, known: &mut Known) -> Option<String> {
    let found = listed.get(&known.name);
    let deed = known.deeds.first_mut()?;
    if deed.fate == Fate::Doubtful {
        known.id = found.map(|listed| listed.id.clone());
        if deed.command.key.is_none() {
            deed.fate = found.map_or(Fate::Absent, |_| Fate::Seen);
        }
    }
    found.map(|listed| listed.status.clone())
}

/// Looks at one Worker that is there.
async fn worker(scope: &Scope, known: &mut Known, status: &str, rng: &mut Rng) {
    settle_stop(known, status);
    let worker = scope.api.get(&format!("/v1/workers/{}", known.id())).await;
    said::check(scope, known, &worker).await;
    events::check(scope, known, rng).await;
    runs::check(scope, known, &worker);
    known.active_run = None;
}

fn settle_stop(known: &mut Known, status: &str) {
    let mut may_be = false;
    let mut must_be = false;
    for deed in &mut known.deeds {
        if deed.operation != Operation::Stop {
            continue;
        }
        if deed.fate == Fate::Doubtful && deed.command.key.is_none() {
            let is_stopped = status == "stopped";
            deed.fate = if is_stopped { Fate::Seen } else { Fate::Absent };
        }
        must_be |= matches!(deed.fate, Fate::Acknowledged(_) | Fate::Seen);
        may_be |= deed.fate == Fate::Doubtful;
    }
    match status {
        "stopped" => assert!(may_be || must_be, "nobody stopped {}", known.name),
        "idle" => assert!(!must_be, "{} was stopped", known.name),
        _ => panic!("{} is {status} after a start", known.name),
    }
}
