//! A Runtime that is gone, or hangs, costs nobody who asks another, and little who asks it.

use std::time::Duration;

use serde_json::json;
use yoi_testkit::{FakeRuntime, TestRuntime, eventually};
use yoi_workspace_server::{
    Backend, Backoff, BulkheadSettings, CircuitSettings, ObservationSettings, Registration,
    RemoteSettings,
};

use crate::support::{Served, embedded, id, once, remote};

/// Left alone after three, and for longer than any test takes.
const LEFT_ALONE: CircuitSettings = CircuitSettings {
    failures: 3,
    pause: Backoff {
        base: Duration::from_secs(600),
        max: Duration::from_secs(600),
    },
};

/// A Runtime outside, and how it is registered with such a circuit.
async fn behind(circuit: CircuitSettings) -> (TestRuntime, Registration) {
    let (outside, _script) = remote("outside").await;
    let settings = RemoteSettings {
        circuit,
        ..once(&outside)
    };
    let registration = Registration::remote(id("outside"), &settings).unwrap();
    (outside, registration)
}

#[tokio::test]
async fn a_runtime_that_is_gone_is_left_alone_until_somebody_has_seen_it() {
    let (outside, registration) = behind(LEFT_ALONE).await;
    let served = Served::over(registration).await;
    let path = served.create("outside", "w-1").await;
    let circuit = async || served.get("/api/runtimes/outside").await.body["circuit"].clone();
    assert_eq!(circuit().await, json!({"state": "closed"}));

    outside.kill().await;
    for _ in 0..3 {
        let refused = served.get(&path).await;
        assert_eq!(refused.brief(), "502 runtime_unreachable link -");
    }
    let refused = served.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(refused.brief(), "503 runtime_unavailable backend none");
    assert_eq!(refused.body["reason"], "circuit_open");
    assert!(refused.headers.contains_key("retry-after"));
    let shown = circuit().await;
    assert_eq!(shown["state"], "open");
    assert!(shown["next_probe_at"].is_string(), "{shown}");
    let mut watcher = served.watch(&path, "").await;
    assert_eq!(
        watcher.end().await,
        (Some("runtime_unavailable".into()), 4503)
    );

    // It comes back, and nobody knows: a look in the background sees it.
    outside.restart().await;
    assert_eq!(served.get(&path).await.status, 503);
    served.backend.probe().await;
    assert_eq!(circuit().await, json!({"state": "closed"}));
    assert_eq!(served.get(&path).await.status, 200);
}

#[tokio::test]
async fn one_call_is_let_through_to_see_whether_a_runtime_is_back() {
    let (outside, registration) = behind(CircuitSettings {
        failures: 1,
        pause: Backoff {
            base: Duration::from_millis(20),
            max: Duration::from_millis(20),
        },
    })
    .await;
    let served = Served::over(registration).await;
    let path = served.create("outside", "w-1").await;
    outside.kill().await;
    assert_eq!(served.get(&path).await.status, 502);
    outside.restart().await;
    eventually("it is asked again", async || {
        let reply = served.get(&path).await;
        match reply.status {
            200 => Ok(()),
            503 => Err(reply.brief()),
            _ => panic!("{}", reply.brief()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_hangs_has_only_so_many_who_wait_for_it() {
    let fake = FakeRuntime::start("outside").await;
    let hangs = fake.get_worker("w-1").after(Duration::from_secs(600));
    let hangs = hangs.any_times().mount().await;
    let settings = RemoteSettings {
        bulkhead: BulkheadSettings {
            max_calls: 2,
            max_waiting: 1,
        },
        ..once(&fake)
    };
    let (inside, _script) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(inside))
        .runtime(Registration::remote(id("outside"), &settings).unwrap());
    let served = std::sync::Arc::new(Served::start(builder).await);
    let there = "/api/runtimes/outside/workers/w-1";
    let mut asking = tokio::task::JoinSet::new();
    let ask = |asking: &mut tokio::task::JoinSet<_>| {
        let served = std::sync::Arc::clone(&served);
        asking.spawn(async move { served.get(there).await })
    };
    let under_way = [ask(&mut asking), ask(&mut asking)];
    eventually("two are under way", async || match hangs.received().len() {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    // Of two more one waits, whichever it is, and the other is refused at once.
    for _ in 0..2 {
        ask(&mut asking);
    }
    let refused = asking.join_next().await.unwrap().unwrap();
    assert_eq!(refused.brief(), "503 runtime_unavailable backend -");
    assert_eq!(refused.body["reason"], "overloaded");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(hangs.received().len(), 2);
    // And nobody else waits for anything.
    let here = served.create("inside", "w-1").await;
    assert_eq!(served.get(&here).await.status, 200);
    // Who waits has the place of the first who leaves.
    for asked in &under_way {
        asked.abort();
    }
    eventually("a third is asked", async || match hangs.received().len() {
        3 => Ok(()),
        other => Err(other),
    })
    .await;
    asking.shutdown().await;
}

/// Who watches is told once: that nobody is asked at the moment is the same loss.
#[tokio::test]
async fn a_watcher_is_told_of_the_loss_and_not_of_the_circuit() {
    let (outside, registration) = behind(LEFT_ALONE).await;
    let soon = Duration::from_millis(20);
    let builder = Backend::builder()
        .runtime(registration)
        .observation(ObservationSettings {
            backoff: Backoff {
                base: soon,
                max: soon,
            },
            ..ObservationSettings::default()
        });
    let served = Served::start(builder).await;
    let path = served.create("outside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    outside.kill().await;
    let mut seen = watcher.until_control("upstream_lost").await;
    eventually("nobody is asked any more", async || {
        let reply = served.get("/api/runtimes/outside").await;
        match reply.body["circuit"]["state"].as_str() {
            Some("open") => Ok(()),
            other => Err(other.map(str::to_owned)),
        }
    })
    .await;
    // Long enough for the hub to have been refused once at least.
    let refused = served.get(&path).await;
    assert_eq!(refused.body["reason"], "circuit_open");
    tokio::time::timeout(soon * 5, watcher.frame())
        .await
        .expect_err("nothing more is said");
    outside.restart().await;
    served.backend.probe().await;
    seen.extend(watcher.until_control("upstream_restored").await);
    let lost: Vec<&str> = seen
        .iter()
        .filter_map(|frame| frame["control"]["code"].as_str())
        .collect();
    assert_eq!(lost, ["runtime_unreachable"]);
}
