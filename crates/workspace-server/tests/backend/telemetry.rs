//! What an operator is told: which Runtimes come and go, who watches, and what calls come to.

use std::time::Duration;

use tracing::Level;
use yoi_client::Timeouts;
use yoi_protocol::{StreamEnd, WorkerId};
use yoi_testkit::eventually;
use yoi_workspace_server::{
    Backend, CallTimeouts, Caller, CircuitSettings, ObservationSettings, Registration,
};

use crate::heard::{Log, Metrics};
use crate::support::{PATIENCE, Served, embedded, id, once, registered, remote};

/// How often each metric must be.
async fn says(metrics: &Metrics, expected: &[(&str, f64)]) {
    eventually("the metrics say so", async || {
        let wrong: Vec<_> = expected
            .iter()
            .map(|(metric, value)| (*metric, metrics.value(metric), *value))
            .filter(|(_, found, value)| *found != Some(*value))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    })
    .await;
}

fn lines<'a>(log: &'a str, part: &'a str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(part)).collect()
}

#[tokio::test]
async fn the_log_names_a_runtime_that_goes_and_comes_back_once_each() {
    let (log, _listening) = Log::here(Level::INFO);
    let metrics = Metrics::here();
    let (outside, _script) = remote("outside").await;
    let mut settings = once(&outside);
    settings.circuit = CircuitSettings {
        failures: 2,
        ..CircuitSettings::default()
    };
    settings.timeouts = Timeouts {
        connect: PATIENCE,
        response: PATIENCE,
        request: PATIENCE,
    };
    let registration = Registration::remote(id("outside"), &settings).unwrap();
    let served = Served::over(registration.timeouts(CallTimeouts {
        request: PATIENCE,
        list: PATIENCE,
    }))
    .await;
    assert_eq!(lines(&log.text(), "a runtime is online").len(), 1);
    let online = "yoi_backend_runtimes{status=\"online\"}";
    let offline = "yoi_backend_runtimes{status=\"offline\"}";
    says(&metrics, &[(online, 1.0)]).await;

    outside.kill().await;
    for _ in 0..4 {
        served.backend.probe().await;
    }
    says(
        &metrics,
        &[
            (online, 0.0),
            (offline, 1.0),
            ("yoi_backend_circuits_open", 1.0),
        ],
    )
    .await;
    let said = log.text();
    let gone = lines(&said, "a runtime is not well");
    let [gone] = gone[..] else {
        panic!("once: {said}")
    };
    for part in [
        "WARN",
        "runtime_id=outside",
        "status=\"offline\"",
        "runtime_unreachable",
        "reason=",
    ] {
        assert!(gone.contains(part), "{part}: {gone}");
    }
    let alone = lines(&said, "left alone for a while");
    assert_eq!(alone.len(), 1, "{said}");
    assert!(alone[0].contains("runtime_id=outside"), "{said}");

    outside.restart().await;
    served.backend.probe().await;
    says(
        &metrics,
        &[
            (online, 1.0),
            (offline, 0.0),
            ("yoi_backend_circuits_open", 0.0),
        ],
    )
    .await;
    let said = log.text();
    assert_eq!(lines(&said, "a runtime is online").len(), 2, "{said}");
    assert_eq!(lines(&said, "is asked again").len(), 1, "{said}");
    assert!(!said.contains("127.0.0.1"), "{said}");
}

#[tokio::test]
async fn metrics_count_who_watches_over_what_and_how_that_ends() {
    let metrics = Metrics::here();
    let (outside, _script) = remote("outside").await;
    let observation = ObservationSettings {
        linger: Duration::ZERO,
        ..ObservationSettings::default()
    };
    let builder = Backend::builder().runtime(registered(&outside));
    let served = Served::start(builder.observation(observation)).await;
    let path = served.create("outside", "w-1").await;
    assert_eq!(served.get(&format!("{path}x")).await.status, 404);
    let calls = |outcome| format!("yoi_backend_runtime_calls_total{{outcome=\"{outcome}\"}}");
    let (ok, missing) = (calls("ok"), calls("worker_not_found"));
    says(&metrics, &[(&ok, 1.0), (&missing, 1.0)]).await;

    let watchers = "yoi_backend_watchers";
    let shared = "yoi_backend_upstreams{kind=\"shared\"}";
    let own = "yoi_backend_upstreams{kind=\"own\"}";
    let mut one = served.watch(&path, "").await;
    let mut other = served.watch(&path, "").await;
    one.until_caught_up().await;
    other.until_caught_up().await;
    says(&metrics, &[(watchers, 2.0), (shared, 1.0), (own, 0.0)]).await;

    outside.kill().await;
    assert_eq!(one.until_lost().await, "runtime_unreachable");
    let lost = "yoi_backend_upstreams_lost_total{code=\"runtime_unreachable\"}";
    says(&metrics, &[(lost, 1.0)]).await;
    outside.restart().await;
    one.until_control("upstream_restored").await;

    drop(other);
    says(&metrics, &[(watchers, 1.0)]).await;
    served
        .post(&format!("{path}/stop"), serde_json::json!({}))
        .await;
    assert_eq!(one.rest().await.1, 1000);
    let complete = "yoi_backend_watches_ended_total{end=\"complete\"}";
    says(&metrics, &[(complete, 1.0), (watchers, 0.0), (shared, 0.0)]).await;
    let text = metrics.text();
    for hidden in ["127.0.0.1", "outside", "w-1"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

/// A Backend that has ended has no shared upstream, and none is begun after that.
#[tokio::test]
async fn who_is_caught_up_after_the_end_of_a_backend_begins_no_upstream_for_others() {
    let metrics = Metrics::here();
    let (inside, _script) = embedded("inside").await;
    let served = Served::over(Registration::embedded(inside)).await;
    served.create("inside", "w-1").await;
    let worker_id = WorkerId::parse("w-1").unwrap();
    let (who, runtime_id) = (Caller::default(), id("inside"));
    let watch = served.backend.watch(&who, &runtime_id, &worker_id, None);
    let mut watch = watch.await.unwrap();
    served.backend.drain(Duration::from_secs(5)).await;
    let mut told = 0;
    let end = loop {
        match watch.next().await {
            Ok(_) => told += 1,
            Err(end) => break end,
        }
    };
    assert_eq!((told, end), (2, StreamEnd::Draining), "snapshot, caught_up");
    let shared = metrics.value("yoi_backend_upstreams{kind=\"shared\"}");
    assert_eq!(shared, None, "there never was one");
}
