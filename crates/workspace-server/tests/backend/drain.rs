//! The end of a Backend.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yoi_protocol::{CreateWorker, InputRequest, WorkerId};
use yoi_workspace_server::{Backend, Caller, Registration, serve};

use crate::support::{PATIENCE, Served, Watcher, embedded, http_settings, id, registered, remote};

#[tokio::test]
async fn a_backend_that_ends_refuses_commands_answers_reads_and_tells_watchers() {
    let (inside, mut script) = embedded("inside").await;
    let (outside, _other) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(inside.clone()))
        .runtime(registered(&outside));
    let served = Served::start(builder).await;
    let here = served.create("inside", "w-1").await;
    let there = served.create("outside", "w-1").await;
    let mut watchers = [
        served.watch(&here, "").await,
        served.watch(&there, "").await,
    ];
    for watcher in &mut watchers {
        watcher.until_caught_up().await;
    }
    served.input(&here).await;
    let _run = script.next_run().await;
    served.backend.drain(Duration::from_secs(5)).await;
    assert_eq!(served.get("/readyz").await.status, 503);
    for path in [&here, &there] {
        let refused = served.post(&format!("{path}/stop"), json!({})).await;
        assert_eq!(refused.brief(), "503 unavailable backend none");
        assert_eq!(served.get(path).await.status, 200);
    }
    for watcher in &mut watchers {
        assert_eq!(watcher.end().await, (Some("draining".into()), 1012));
    }
    let last = &served.get(&here).await.body["last_run"];
    assert_eq!(last["outcome"], "failed");
    assert_eq!(last["error"]["code"], "interrupted");
}

#[tokio::test]
async fn an_embedded_runtime_that_drains_alone_is_unavailable_as_a_remote_one_would_be() {
    let (inside, _script) = embedded("inside").await;
    let served = Served::over(Registration::embedded(inside.clone())).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    watcher.until_caught_up().await;
    inside.drain(Duration::from_secs(5)).await;
    let refused = served.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(refused.brief(), "503 runtime_unavailable runtime none");
    assert_eq!(refused.body["reason"], "draining");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(served.get(&path).await.status, 200);
    assert_eq!(watcher.until_lost().await, "runtime_unavailable");
    assert_eq!(served.get("/readyz").await.status, 200);
    served.backend.probe().await;
    let runtime = served.get("/api/runtimes/inside").await;
    assert_eq!(runtime.body["status"], "degraded");
}

const WORKERS: usize = 5;
const WATCHERS_EACH: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watcher_sees_how_a_run_inside_ended_before_the_backend_ends() {
    let (inside, mut script) = embedded("inside").await;
    let builder = Backend::builder().runtime(Registration::embedded(inside));
    let backend = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let told = shutdown.clone().cancelled_owned();
    let serving = serve(listener, backend.clone(), http_settings(address), told);
    let serving = tokio::spawn(serving);

    let mut sockets = Vec::new();
    let mut streams = Vec::new();
    let mut runs = Vec::new();
    for n in 0..WORKERS {
        let worker = begin_run(&backend, &format!("w-{n}")).await;
        let run = script.next_run().await;
        run.say("working").await;
        runs.push(run);
        let path = format!("/api/runtimes/inside/workers/{worker}");
        for _ in 0..WATCHERS_EACH {
            let mut watcher = Watcher::open(address, &path, "").await;
            watcher.until_caught_up().await;
            sockets.push(watcher);
            streams.push(stream(address, &path).await);
        }
    }
    shutdown.cancel();
    for run in &runs {
        run.cancelled().await;
    }
    drop(runs);

    for mut watcher in sockets {
        let frames = watcher
            .until(|frame| frame["diagnostic"]["code"] == "draining")
            .await;
        assert!(
            frames
                .iter()
                .any(|frame| frame["event"]["type"] == "run_finished"),
            "{frames:?}"
        );
        assert_eq!(watcher.end().await, (None, 1012));
    }
    for mut stream in streams {
        let mut told = String::new();
        let reading = stream.read_to_string(&mut told);
        timeout(PATIENCE, reading).await.unwrap().unwrap();
        let at = |what: &str| {
            told.find(what)
                .unwrap_or_else(|| panic!("no {what} in {told}"))
        };
        assert!(at("run_finished") < at("\"draining\""), "{told}");
    }
    timeout(PATIENCE, serving).await.unwrap().unwrap();
}

async fn begin_run(backend: &Backend, worker: &str) -> WorkerId {
    let worker = WorkerId::parse(worker).unwrap();
    let inside = id("inside");
    let body = CreateWorker {
        worker_id: Some(worker.clone()),
        ..CreateWorker::default()
    };
    let created = backend.create_worker(Caller::default(), &inside, body);
    created.await.unwrap();
    let body: InputRequest = serde_json::from_value(json!({"content": "go"})).unwrap();
    let accepted = backend.send_input(Caller::default(), &inside, &worker, body);
    accepted.await.unwrap();
    worker
}

/// An event stream that is caught up.
async fn stream(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path}/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&told).contains("caught_up") {
            assert!(stream.read_buf(&mut told).await.unwrap() > 0, "it ended");
        }
    };
    timeout(PATIENCE, reading)
        .await
        .expect("it is not caught up");
    stream
}
