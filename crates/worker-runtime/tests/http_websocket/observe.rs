//! What an observer sees, and how it ends.

use tokio_tungstenite::tungstenite::Message;
use yoi_protocol::Code;

use crate::client::{Observer, what};
use crate::support::Served;

const EVENTS: &str = "/v1/workers/w-1/events/ws";

async fn observed(profile: &str) -> (Served, Observer) {
    let served = Served::start().await;
    served.worker("w-1", profile).await;
    let mut observer = Observer::connect(&served, EVENTS, &[]).await.ok().unwrap();
    let told: Vec<_> = observer
        .until("caught_up")
        .await
        .iter()
        .filter_map(what)
        .collect();
    assert_eq!(told, ["snapshot", "caught_up"]);
    (served, observer)
}

#[tokio::test]
async fn a_worker_from_snapshot_to_stop() {
    let (served, mut observer) = observed("echo").await;
    let accepted = served
        .post("/v1/workers/w-1/input", r#"{"content":"hi"}"#)
        .await
        .value(202);
    let run = observer.until("run_finished").await;
    assert_eq!(run[0]["cursor"], accepted["cursor"]);
    let text: String = run
        .iter()
        .filter(|frame| frame["kind"] == "delta")
        .map(|frame| frame["delta"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, "hi");
    served.post("/v1/workers/w-1/stop", "{}").await.value(200);
    let (told, code) = observer.rest().await;
    assert_eq!(told, ["status_changed", "status_changed", "worker_stopped"]);
    assert_eq!(code, Some(1000));

    let cursor = accepted["cursor"].as_str().unwrap();
    let path = format!("{EVENTS}?cursor={cursor}");
    let mut resumed = Observer::connect(&served, &path, &[]).await.ok().unwrap();
    let (told, code) = resumed.rest().await;
    assert_eq!(told[0], "run_started");
    assert_eq!(told[told.len() - 2..], ["worker_stopped", "caught_up"]);
    assert_eq!(code, Some(1000));
}

#[tokio::test]
async fn what_is_known_before_the_upgrade_is_a_problem_answer() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    let elsewhere = [("yoi-runtime-id", "rt-other")];
    let page = [("origin", "http://localhost")];
    let late = [("yoi-deadline-ms", "soon")];
    for (path, headers, code) in [
        ("/v1/workers/w-2/events/ws", &[][..], Code::WorkerNotFound),
        ("/v1/workers/NO/events/ws", &[], Code::WorkerNotFound),
        (
            "/v1/workers/w-1/events/ws?cursor=x",
            &[],
            Code::CursorInvalid,
        ),
        (EVENTS, &elsewhere, Code::MisdirectedRequest),
        (EVENTS, &page, Code::ForbiddenOrigin),
        (EVENTS, &late, Code::InvalidRequest),
    ] {
        let Err(problem) = Observer::connect(&served, path, headers).await else {
            panic!("{path} {headers:?} was let in");
        };
        assert_eq!(problem.code, code, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn streams_are_limited_and_an_observer_that_leaves_makes_room() {
    let served = Served::with(|setup| setup.limits.max_streams = 1).await;
    served.worker("w-1", "echo").await;
    let first = Observer::connect(&served, EVENTS, &[]).await.ok().unwrap();
    let Err(problem) = Observer::connect(&served, EVENTS, &[]).await else {
        panic!("a second observer was let in");
    };
    assert_eq!(problem.details.limit.as_deref(), Some("max_streams"));
    drop(first);
    let deadline = tokio::time::Instant::now() + crate::support::WAIT;
    while let Err(problem) = Observer::connect(&served, EVENTS, &[]).await {
        assert!(tokio::time::Instant::now() < deadline, "still {problem:?}");
    }
}

#[tokio::test]
async fn whoever_speaks_is_told_that_this_is_for_observation() {
    for message in [
        Message::text(r#"{"content":"do this"}"#),
        Message::binary(vec![0]),
    ] {
        let (served, mut observer) = observed("echo").await;
        observer.say(message).await;
        let (told, code) = observer.rest().await;
        assert_eq!(told, ["observation_only"]);
        assert_eq!(code, Some(1008));
        let worker = served.get("/v1/workers/w-1").await.value(200);
        assert_eq!(worker["transcript_length"], 0, "nothing was done");
    }
}

#[tokio::test]
async fn the_end_of_the_server_is_told_after_the_end_of_the_run() {
    let (served, mut observer) = observed("held").await;
    served.input("w-1").await;
    served.shut_down();
    served.hold.told().await;
    served.hold.release();
    let (told, code) = observer.rest().await;
    let position = |wanted: &str| told.iter().position(|one| one == wanted).unwrap();
    assert!(position("run_finished") < position("draining"), "{told:?}");
    assert_eq!(told.last().unwrap(), "draining");
    assert_eq!(code, Some(1012));
    drop(observer);
    served.ended().await;
}

#[tokio::test]
async fn an_observer_that_comes_late_gets_what_is_in_flight() {
    let (served, mut observer) = observed("held").await;
    let run = served.input("w-1").await;
    observer.until("run_started").await;
    // The words are in the stream before they are said to whoever comes later.
    while observer.next().await.unwrap()["kind"] != "delta" {}
    let mut late = Observer::connect(&served, EVENTS, &[]).await.ok().unwrap();
    let caught_up = late.until("caught_up").await.pop().unwrap();
    assert_eq!(caught_up["control"]["in_flight"]["run_id"], run);
    assert_eq!(caught_up["control"]["in_flight"]["text"], "working");
    served.hold.release();
}
