//! What an operator is told: which Runtimes come and go, who watches, and what calls come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{sleep, sleep_until};
use tracing::Level;
use yoi_client::transport::{Request, Response, Transport, TransportFault, Upgrade};
use yoi_client::{RetryPolicy, Timeouts};
use yoi_protocol::{Code, CreateWorker, ListQuery, StreamEnd, WorkerId};
use yoi_testkit::eventually;
use yoi_workspace_server::{
    Backend, CallTimeouts, Caller, CircuitSettings, ObservationSettings, Registration,
    RemoteSettings,
};

use crate::heard::{Log, Metrics};
use crate::support::{PATIENCE, STILL, Served, embedded, id, once, registered, remote};

/// Waits until each metric is at its value.
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
#[tokio::test(start_paused = true)]
async fn who_is_caught_up_after_the_end_of_a_backend_begins_no_upstream_for_others() {
    let metrics = Metrics::here();
    let (inside, _script) = embedded("inside").await;
    let builder = Backend::builder().runtime(Registration::embedded(inside));
    let backend = builder.presence(STILL).build().unwrap();
    let (who, runtime_id) = (Caller::default(), id("inside"));
    let created = backend.create_worker(who.clone(), &runtime_id, CreateWorker::default());
    let worker_id = created.await.unwrap().value.worker_id;
    let watch = backend.watch(&who, &runtime_id, &worker_id, None);
    let mut watch = watch.await.unwrap();
    backend.drain(Duration::from_secs(5)).await;
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

#[tokio::test(start_paused = true)]
async fn calls_that_nobody_made_and_that_nobody_waited_for_are_told_apart() {
    let metrics = Metrics::here();
    let calls = |outcome| {
        let name = format!("yoi_backend_runtime_calls_total{{outcome=\"{outcome}\"}}");
        metrics.value(&name)
    };
    let nobody = Nobody(Arc::default());
    let mut settings = RemoteSettings::new("http://127.0.0.1:9");
    settings.retry = RetryPolicy::NEVER;
    settings.transport = Some(Arc::new(nobody.clone()));
    settings.circuit.failures = 1;
    let registration = Registration::remote(id("outside"), &settings).unwrap();
    let builder = Backend::builder().runtime(registration);
    let backend = builder.presence(STILL).build().unwrap();
    backend.probe().await;
    let gauge = |status| metrics.value(&format!("yoi_backend_runtimes{{status=\"{status}\"}}"));
    assert_eq!((gauge("unknown"), gauge("offline")), (Some(0.0), Some(1.0)));

    let (who, outside) = (Caller::default(), id("outside"));
    let worker_id = WorkerId::parse("w-1").unwrap();
    let refused = backend.worker(&who, &outside, &worker_id).await;
    assert_eq!(refused.unwrap_err().code, Code::RuntimeUnavailable);
    assert_eq!(calls("circuit_open"), Some(1.0));
    assert_eq!(calls("runtime_unavailable"), None);

    // It answers again, and then hangs.
    nobody.0.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(60)).await;
    let swept = backend.all_workers(&who, &ListQuery::default()).await;
    assert_eq!(swept.unwrap().incomplete.len(), 1);
    assert_eq!(calls("runtime_timed_out"), Some(1.0));

    // A watch that does not begin ends, too.
    let watch = backend.watch(&who, &outside, &worker_id, Some("forged"));
    watch.await.unwrap_err();
    let ended = "yoi_backend_watches_ended_total{end=\"cursor_invalid\"}";
    assert_eq!(metrics.value(ended), Some(1.0));

    drop(backend);
    says(&metrics, &[("yoi_backend_circuits_open", 0.0)]).await;
    says(
        &metrics,
        &[("yoi_backend_runtimes{status=\"offline\"}", 0.0)],
    )
    .await;
}

/// Nobody takes a connection there; or, when told, somebody does and says nothing.
#[derive(Clone)]
struct Nobody(Arc<AtomicBool>);

#[async_trait]
impl Transport for Nobody {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        if self.0.load(Ordering::Relaxed) {
            sleep_until(request.head_by).await;
            return Err(TransportFault::HeadTimedOut);
        }
        Err(TransportFault::Refused)
    }

    async fn upgrade(&self, _: Request) -> Result<Upgrade, TransportFault> {
        Err(TransportFault::Refused)
    }
}
