//! Frames as server-sent events.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt;
use yoi_http_kit::{Drain, ObserveSettings, ResumeFrom, sse};
use yoi_protocol::StreamEnd;

use crate::observe::{about, ends};
use crate::support::{Script, WAIT, frame, get};

async fn observe(script: Script, resumed: bool) -> Response {
    sse(
        script,
        resumed,
        about(),
        &ObserveSettings::new(Drain::new()),
    )
    .await
}

async fn text(response: Response) -> String {
    let reading = response.into_body().collect();
    let body = tokio::time::timeout(WAIT, reading)
        .await
        .expect("the stream should have ended");
    let body = body.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_event_has_one_line_of_data_and_its_cursor_as_id() {
    let script = Script::of(vec![
        Ok(frame(r#"{"seq":1}"#, Some("c1"))),
        Ok(frame("{\n  \"spread\":\r\n \"out\"}", None)),
        Err(StreamEnd::Complete),
    ]);
    let response = observe(script, false).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(
        text(response).await,
        "id: c1\ndata: {\"seq\":1}\n\ndata: {   \"spread\":   \"out\"}\n\n"
    );
}

#[tokio::test]
async fn every_end_says_its_last_words() {
    for (end, _, code) in ends() {
        let said = text(observe(Script::of(vec![Err(end.clone())]), false).await).await;
        match code {
            None => assert_eq!(said, "", "{end:?}"),
            Some(code) => {
                let start =
                    format!("data: {{\"kind\":\"diagnostic\",\"diagnostic\":{{\"code\":\"{code}\"");
                assert!(said.starts_with(&start), "{end:?} said {said}");
                assert!(said.ends_with("}}\n\n"), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn who_has_seen_all_of_a_stopped_worker_gets_204() {
    let caught_up = || Ok(frame(r#"{"kind":"control"}"#, None));
    let all_told = || Script::of(vec![caught_up(), Err(StreamEnd::Complete)]);
    let answer = observe(all_told(), true).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let fresh = observe(all_told(), false).await;
    assert_eq!(fresh.status(), StatusCode::OK);

    let something_left = Script::of(vec![
        Ok(frame("{}", Some("c9"))),
        caught_up(),
        Err(StreamEnd::Complete),
    ]);
    assert_eq!(observe(something_left, true).await.status(), StatusCode::OK);
    let failed = Script::of(vec![Err(StreamEnd::SlowConsumer)]);
    assert_eq!(observe(failed, true).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn comments_keep_a_silent_stream_alive() {
    let (script, teller, _dropped) = Script::new();
    teller.send(Ok(frame("{}", None))).unwrap();
    let mut body = observe(script, false).await.into_body();
    let mut next = async || {
        let frame = body.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    };
    let began = tokio::time::Instant::now();
    assert_eq!(next().await.unwrap(), "data: {}\n\n");
    assert_eq!(next().await.unwrap(), ": alive\n\n");
    assert_eq!(next().await.unwrap(), ": alive\n\n");
    assert_eq!(began.elapsed(), Duration::from_secs(40));
    teller.send(Err(StreamEnd::Complete)).unwrap();
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn the_end_of_the_server_ends_the_stream() {
    let drain = Drain::new();
    let (script, teller, dropped) = Script::new();
    teller.send(Ok(frame("{}", Some("c1")))).unwrap();
    let response = sse(script, false, about(), &ObserveSettings::new(drain.clone())).await;
    teller.send(Ok(frame("{}", Some("c2")))).unwrap();
    drain.end_streams();
    let said = text(response).await;
    let ready = "id: c1\ndata: {}\n\nid: c2\ndata: {}\n\n";
    assert!(said.starts_with(ready), "{said}");
    assert!(said.contains(r#""code":"draining""#), "{said}");
    assert!(dropped.await.is_err(), "the source is let go");
}

#[tokio::test]
async fn last_event_id_wins_over_the_cursor() {
    let router = axum::Router::new().route(
        "/from",
        axum::routing::get(async |ResumeFrom(from): ResumeFrom| format!("{from:?}")),
    );
    for (query, header, expected) in [
        ("", None, "None"),
        ("?cursor=q", None, "Some(\"q\")"),
        ("?x=1&cursor=a%7Eb", None, "Some(\"a~b\")"),
        ("?cursor=q", Some("h"), "Some(\"h\")"),
        ("", Some("h"), "Some(\"h\")"),
        ("?cursor=q", Some(""), "Some(\"q\")"),
    ] {
        let headers: Vec<_> = header.map(|id| ("last-event-id", id)).into_iter().collect();
        let answer = get(&router, &format!("/from{query}"), &headers).await;
        assert_eq!(answer.text(), expected, "{query} {header:?}");
    }
}
