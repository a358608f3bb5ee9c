//! The accept loop: what it cuts, what it counts, how it ends.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use futures_util::stream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use yoi_http_kit::ServeOptions;

use crate::support::{Place, Running, WAIT, metrics_here, read_all, until};

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn hello() -> Router {
    Router::new().route("/hello", get(async || "hello"))
}

fn options() -> ServeOptions {
    ServeOptions::default()
}

#[tokio::test]
async fn a_head_that_does_not_arrive_is_cut_and_counted() {
    let metrics = metrics_here();
    let header_timeout = Duration::from_millis(200);
    let server = Running::start(
        hello(),
        ServeOptions {
            header_timeout,
            ..options()
        },
    )
    .await;

    let mut slow = server.say("GET /hello HTTP/1.1\r\nhost: loc").await;
    assert_eq!(read_all(&mut slow).await, "");
    metrics
        .say("yoi_http_connections_closed_total{reason=\"header_timeout\"} 1")
        .await;

    // A trickle does not buy time.
    let mut trickle = server.connect().await;
    let (mut reading, mut writing) = trickle.split();
    let dripping = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let mut one = [0; 1];
    tokio::select! {
        () = dripping => {}
        end = reading.read(&mut one) => assert!(matches!(end, Ok(_) | Err(_))),
    }
}

#[tokio::test]
async fn an_idle_connection_ends_without_being_counted_as_a_fault() {
    let metrics = metrics_here();
    let header_timeout = Duration::from_millis(200);
    let server = Running::start(
        hello(),
        ServeOptions {
            header_timeout,
            ..options()
        },
    )
    .await;

    let mut idle = server.say(HELLO).await;
    let said = read_all(&mut idle).await;
    assert!(said.ends_with("hello"), "{said}");
    let mut silent = server.connect().await;
    assert_eq!(read_all(&mut silent).await, "");
    assert!(
        !metrics.text().contains("header_timeout"),
        "{}",
        metrics.text()
    );
}

#[tokio::test]
async fn a_broken_head_is_counted() {
    let metrics = metrics_here();
    let server = Running::start(hello(), options()).await;
    let mut broken = server.say("what is this\r\n\r\n").await;
    read_all(&mut broken).await;
    metrics
        .say("yoi_http_connections_closed_total{reason=\"bad_head\"} 1")
        .await;
}

#[tokio::test]
async fn connections_over_the_cap_are_closed_and_counted() {
    let metrics = metrics_here();
    let server = Running::start(
        hello(),
        ServeOptions {
            max_connections: 1,
            ..options()
        },
    )
    .await;

    let mut first = server.say(HELLO).await;
    until(&mut first, "hello").await;
    let mut second = server.connect().await;
    assert_eq!(read_all(&mut second).await, "");
    metrics
        .say("yoi_http_connections_closed_total{reason=\"connection_cap\"} 1")
        .await;

    // The slot is free again as soon as the first has gone.
    drop(first);
    let admitted = async {
        loop {
            let mut next = server.say(HELLO).await;
            let mut start = [0; 12];
            if next.read_exact(&mut start).await.is_ok() {
                return start;
            }
        }
    };
    assert_eq!(
        &tokio::time::timeout(WAIT, admitted).await.unwrap(),
        b"HTTP/1.1 200"
    );
}

/// A route that upgrades, and holds on to what it got without ever looking at a drain.
fn clinging() -> Router {
    Router::new().route(
        "/cling",
        get(async |request: Request| {
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(request).await.unwrap();
                let mut socket = TokioIo::new(upgraded);
                let mut buffer = [0; 16];
                while socket.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
            });
            Response::builder()
                .status(101)
                .header("connection", "upgrade")
                .header("upgrade", "cling")
                .body(Body::empty())
                .unwrap()
        }),
    )
}

const CLING: &str =
    "GET /cling HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: cling\r\n\r\n";

#[tokio::test]
async fn upgraded_sockets_count_against_the_cap() {
    let one = ServeOptions {
        max_connections: 1,
        ..options()
    };
    let server = Running::start(clinging(), one).await;
    let mut first = server.say(CLING).await;
    until(&mut first, "\r\n\r\n").await;
    // The slot must not come free while the upgraded socket lives, however often one asks.
    for _ in 0..20 {
        let mut next = server.say(CLING).await;
        assert_eq!(read_all(&mut next).await, "");
    }
    drop(first);
}

#[tokio::test]
async fn the_end_cuts_upgraded_sockets_that_nobody_ends() {
    let server = Running::start(clinging(), options()).await;
    let mut clinging = server.say(CLING).await;
    until(&mut clinging, "\r\n\r\n").await;
    server.close_within(Duration::from_millis(50));
    assert_eq!(read_all(&mut clinging).await, "");
    server.ended().await;
}

#[tokio::test]
async fn the_end_answers_what_is_under_way_and_closes_what_is_idle() {
    let place = Place::default();
    let server = Running::start(place.routes().merge(hello()), options()).await;
    let mut idle = server.say(HELLO).await;
    until(&mut idle, "hello").await;
    let mut held = server
        .say("GET /hold HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    place.entered.notified().await;

    server.close_within(WAIT);
    assert_eq!(read_all(&mut idle).await, "");
    let refused = tokio::net::TcpStream::connect(server.address).await;
    assert!(refused.is_err(), "no connection is taken any more");
    place.release.notify_one();
    let answer = read_all(&mut held).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("held"),
        "{answer}"
    );
    server.ended().await;
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_dropped() {
    let metrics = metrics_here();
    let endless = || {
        let bytes = bytes::Bytes::from(vec![b'x'; 64 * 1024]);
        let body = stream::repeat_with(move || Ok::<_, std::io::Error>(bytes.clone()));
        Response::new(Body::from_stream(body))
    };
    let router = Router::new().route("/endless", get(async move || endless()));
    let write_timeout = Duration::from_millis(50);
    let server = Running::start(
        router,
        ServeOptions {
            write_timeout,
            ..options()
        },
    )
    .await;
    let stuck = server
        .say("GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    metrics
        .say("yoi_http_connections_closed_total{reason=\"write_timeout\"} 1")
        .await;
    drop(stuck);
}
