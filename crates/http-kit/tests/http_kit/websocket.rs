//! Frames over a WebSocket.

use std::future::{Future, ready};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot::error::TryRecvError;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yoi_http_kit::{Drain, ObserveSettings, ServeOptions, Upgrade, edge, websocket};
use yoi_protocol::{Code, Failure, StreamEnd};

use crate::observe::{about, ends};
use crate::support::{Running, Script, WAIT, frame, problem_of, read_all, settings, until};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Serves one observation.
async fn serve<O>(open: O, change: impl FnOnce(&mut ObserveSettings, &mut ServeOptions)) -> Running
where
    O: Future<Output = Result<Script, StreamEnd>> + Send + 'static,
{
    let drain = Drain::new();
    let mut observe = ObserveSettings::new(drain.clone());
    let mut options = ServeOptions::default();
    change(&mut observe, &mut options);
    let open = Arc::new(Mutex::new(Some(open)));
    let router = Router::new().route(
        "/ws",
        get(move |upgrade: Upgrade| async move {
            let open = open.lock().unwrap().take().expect("one observer only");
            websocket(upgrade, open, about(), &observe)
        }),
    );
    Running::draining(edge(router, settings()), options, drain).await
}

async fn scripted(script: Script) -> Running {
    serve(ready(Ok(script)), |_, _| {}).await
}

async fn connect(server: &Running) -> Client {
    let url = format!("ws://{}/ws", server.address);
    connect_async(url).await.unwrap().0
}

/// What still comes: the texts, and the close code with its reason.
async fn to_the_end(client: &mut Client) -> (Vec<String>, Option<(u16, String)>) {
    let mut texts = Vec::new();
    let listening = async {
        while let Some(message) = client.next().await {
            match message {
                Ok(Message::Text(text)) => texts.push(text.as_str().to_owned()),
                Ok(Message::Close(close)) => {
                    return close
                        .map(|close| (close.code.into(), close.reason.as_str().to_owned()));
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        None
    };
    let close = tokio::time::timeout(WAIT, listening)
        .await
        .expect("the stream should have ended");
    (texts, close)
}

#[tokio::test]
async fn frames_come_in_order_and_a_complete_stream_closes_with_1000() {
    let mut steps: Vec<_> = (0..5_000)
        .map(|n| Ok(frame(&format!("{{\"n\":{n}}}"), None)))
        .collect();
    steps.push(Err(StreamEnd::Complete));
    let server = scripted(Script::of(steps)).await;
    let (texts, close) = to_the_end(&mut connect(&server).await).await;
    assert_eq!(texts.len(), 5_000);
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(*text, format!("{{\"n\":{n}}}"));
    }
    assert_eq!(close, Some((1000, "complete".to_owned())));
}

#[tokio::test]
async fn every_end_says_its_last_words_and_closes_with_its_code() {
    for (end, close_code, code) in ends() {
        // Once after a frame, once instead of opening.
        let script = Script::of(vec![Ok(frame("{}", None)), Err(end.clone())]);
        let after = scripted(script).await;
        let instead = serve(ready(Err(end.clone())), |_, _| {}).await;
        for (server, before) in [(after, 1), (instead, 0)] {
            let (texts, close) = to_the_end(&mut connect(&server).await).await;
            assert_eq!(close.unwrap().0, close_code, "{end:?}");
            let last = texts.get(before).map(|text| {
                let frame: serde_json::Value = serde_json::from_str(text).unwrap();
                assert_eq!(frame["kind"], "diagnostic");
                assert_eq!(frame.get("runtime_id"), None);
                frame["diagnostic"]["code"].as_str().unwrap().to_owned()
            });
            assert_eq!(last.as_deref(), code, "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_backend_names_the_runtime_in_its_last_words() {
    let end = StreamEnd::Failed(Failure::new(Code::RuntimeUnreachable));
    let server = serve(ready(Err(end)), |observe, _| observe.name_runtime = true).await;
    let (texts, _) = to_the_end(&mut connect(&server).await).await;
    let frame: serde_json::Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(frame["runtime_id"], "rt-1");
}

#[tokio::test]
async fn whoever_speaks_is_told_that_this_is_for_observation() {
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::binary(vec![1, 2, 3]),
        Message::text("x".repeat(32 * 1024)),
    ] {
        let (script, teller, dropped) = Script::new();
        teller.send(Ok(frame("{}", None))).unwrap();
        let server = scripted(script).await;
        let mut client = connect(&server).await;
        client.send(message).await.unwrap();
        let (texts, close) = to_the_end(&mut client).await;
        assert!(
            texts.last().unwrap().contains("\"observation_only\""),
            "{texts:?}"
        );
        assert_eq!(close, Some((1008, "observation_only".to_owned())));
        assert!(dropped.await.is_err(), "the source is let go");
    }
}

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

#[tokio::test]
async fn a_peer_that_does_not_answer_pings_is_dropped() {
    let (script, _teller, dropped) = Script::new();
    let quick = |observe: &mut ObserveSettings, _: &mut ServeOptions| {
        observe.ping_every = Duration::from_millis(20);
        observe.pong_timeout = Duration::from_millis(20);
    };
    let server = serve(ready(Ok(script)), quick).await;
    let mut silent = server.say(HANDSHAKE).await;
    until(&mut silent, "\r\n\r\n").await;
    read_all(&mut silent).await;
    assert!(dropped.await.is_err(), "the source is let go");
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays() {
    let (script, teller, _dropped) = Script::new();
    let quick = |observe: &mut ObserveSettings, _: &mut ServeOptions| {
        observe.ping_every = Duration::from_millis(50);
        observe.pong_timeout = Duration::from_millis(950);
    };
    let server = serve(ready(Ok(script)), quick).await;
    let mut client = connect(&server).await;
    // Reading answers a ping. After thirty of them a silent peer would be long gone.
    for _ in 0..30 {
        let message = tokio::time::timeout(WAIT, client.next()).await.unwrap();
        assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
    }
    teller
        .send(Ok(frame("{\"still\":\"here\"}", None)))
        .unwrap();
    teller.send(Err(StreamEnd::Complete)).unwrap();
    let (texts, _) = to_the_end(&mut client).await;
    assert_eq!(texts, ["{\"still\":\"here\"}"]);
}

#[tokio::test]
async fn the_end_of_the_server_ends_the_stream() {
    let (script, _teller, _dropped) = Script::new();
    let server = scripted(script).await;
    let mut client = connect(&server).await;
    // The last words come when half of it is over, and what is left at its end is cut.
    server.close_within(Duration::from_secs(4));
    let (texts, close) = to_the_end(&mut client).await;
    assert!(texts[0].contains("\"draining\""), "{texts:?}");
    assert_eq!(close, Some((1012, "draining".to_owned())));
    drop(client);
    server.ended().await;
}

#[tokio::test]
async fn a_source_that_ends_itself_is_let_say_its_last_words_at_the_end_of_the_server() {
    let (script, teller, _dropped) = Script::new();
    let server = scripted(script).await;
    let mut client = connect(&server).await;
    server.close_within(WAIT);
    // The server takes no more connections, so it has seen that it is to end.
    while server.try_connect().await {}
    teller.send(Ok(frame("\"last\"", None))).unwrap();
    teller.send(Err(StreamEnd::Draining)).unwrap();
    let (texts, close) = to_the_end(&mut client).await;
    assert_eq!(texts[0], "\"last\"");
    assert!(texts[1].contains("\"draining\""), "{texts:?}");
    assert_eq!(close, Some((1012, "draining".to_owned())));
    drop(client);
    server.ended().await;
}

#[tokio::test]
async fn an_observer_that_closes_is_answered() {
    let (script, _teller, dropped) = Script::new();
    let server = scripted(script).await;
    let mut client = connect(&server).await;
    let close = CloseFrame {
        code: CloseCode::Normal,
        reason: "enough".into(),
    };
    client.close(Some(close.clone())).await.unwrap();
    let mut next = async || tokio::time::timeout(WAIT, client.next()).await.unwrap();
    match next().await {
        Some(Ok(Message::Close(answer))) => assert_eq!(answer, Some(close)),
        other => panic!("no answer to the close but {other:?}"),
    }
    // A socket that is gone without its handshake would be an error here.
    assert!(next().await.is_none());
    assert!(dropped.await.is_err(), "the source is let go");
}

#[tokio::test]
async fn an_observer_that_leaves_while_the_source_opens_lets_go_of_it() {
    let (gone, left) = tokio::sync::oneshot::channel::<()>();
    let opening = async move {
        let _held = gone;
        std::future::pending::<Result<Script, StreamEnd>>().await
    };
    let server = serve(opening, |_, _| {}).await;
    let client = connect(&server).await;
    drop(client);
    let let_go = tokio::time::timeout(WAIT, left).await;
    assert!(
        let_go
            .expect("the opening should have been dropped")
            .is_err()
    );
}

#[tokio::test]
async fn a_reader_that_takes_nothing_costs_bounded_memory_and_is_dropped() {
    let (script, dropped) = Script::endless(frame(&format!("\"{}\"", "x".repeat(16 * 1024)), None));
    let taken = Arc::clone(&script.taken);
    let impatient = |_: &mut ObserveSettings, options: &mut ServeOptions| {
        options.write_timeout = Duration::from_millis(100);
    };
    let server = serve(ready(Ok(script)), impatient).await;
    let mut stuck = server.say(HANDSHAKE).await;
    // Only the head is read; what follows fills the sockets and no more.
    let mut head = [0; 32];
    tokio::io::AsyncReadExt::read_exact(&mut stuck, &mut head)
        .await
        .unwrap();
    let let_go = tokio::time::timeout(WAIT, dropped).await;
    assert!(let_go.expect("the source should have been let go").is_err());
    let taken = taken.load(Ordering::SeqCst);
    assert!(
        taken < 32 * 1024 * 1024,
        "{taken} bytes were taken of the source"
    );
}

#[tokio::test]
async fn a_reader_that_is_slow_but_takes_what_it_gets_stays() {
    let frame = frame(&format!("\"{}\"", "x".repeat(16 * 1024)), None);
    let (script, mut dropped) = Script::endless(frame);
    let quick = |observe: &mut ObserveSettings, options: &mut ServeOptions| {
        observe.ping_every = Duration::from_millis(20);
        observe.pong_timeout = Duration::from_millis(100);
        options.write_timeout = WAIT;
    };
    let server = serve(ready(Ok(script)), quick).await;
    let mut slow = server.say(HANDSHAKE).await;
    // It reads steadily, and far less than there is: pings are long under way, and unanswered.
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    let mut buffer = vec![0; 64 * 1024];
    let until = tokio::time::Instant::now() + Duration::from_millis(1_500);
    while tokio::time::Instant::now() < until {
        pace.tick().await;
        let n = slow.read(&mut buffer).await.unwrap();
        assert!(n > 0, "the stream ended");
    }
    let source = dropped.try_recv();
    assert!(
        matches!(source, Err(TryRecvError::Empty)),
        "the source was let go"
    );
}

#[tokio::test]
async fn a_long_frame_is_one_message_of_short_fragments() {
    let long = format!("\"{}\"", "ä€".repeat(40_000));
    let server = scripted(Script::of(vec![Ok(frame(&long, None))])).await;
    let mut client = connect(&server).await;
    match tokio::time::timeout(WAIT, client.next()).await.unwrap() {
        Some(Ok(Message::Text(text))) => assert_eq!(text.as_str(), long),
        other => panic!("{other:?}"),
    }

    // What a socket writes at once is what it costs as long as it lives.
    let server = scripted(Script::of(vec![Ok(frame(&long, None))])).await;
    let mut raw = server.say(HANDSHAKE).await;
    until_exactly(&mut raw, b"\r\n\r\n").await;
    let mut read = 0;
    loop {
        let mut head = [0; 4];
        raw.read_exact(&mut head).await.unwrap();
        let is_last = head[0] & 0x80 != 0;
        let length = match head[1] {
            126 => u16::from_be_bytes([head[2], head[3]]),
            other => panic!("{other} is no length of a fragment"),
        };
        assert!(length <= 4 * 1024, "a fragment of {length} bytes");
        let mut fragment = vec![0; usize::from(length)];
        raw.read_exact(&mut fragment).await.unwrap();
        read += fragment.len();
        if is_last {
            break;
        }
    }
    assert_eq!(read, long.len());
}

/// Reads up to the end of `end` and no further.
async fn until_exactly(socket: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.push(socket.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn last_words_wait_for_the_message_that_is_under_way() {
    // Long enough to fill what the kernel takes, so that it is cut off in its middle.
    let long = format!("\"{}\"", "x".repeat(24 * 1024 * 1024));
    let (script, teller, _dropped) = Script::new();
    teller.send(Ok(frame(&long, None))).unwrap();
    let server = scripted(script).await;
    let mut client = connect(&server).await;
    client.send(Message::text("hello")).await.unwrap();
    let (texts, close) = to_the_end(&mut client).await;
    let (last, before) = texts.split_last().unwrap();
    assert!(before.iter().all(|text| *text == long));
    assert!(last.contains("\"observation_only\""), "{last}");
    assert_eq!(close.unwrap().0, 1008);
}

#[tokio::test]
async fn a_request_without_an_upgrade_is_told_so() {
    let server = scripted(Script::of(vec![])).await;
    let request = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = read_all(&mut server.say(request).await).await;
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    assert!(
        answer.to_lowercase().contains("upgrade: websocket"),
        "{answer}"
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(problem_of(body).code, Code::UpgradeRequired);
}

#[tokio::test]
async fn a_broken_handshake_is_an_invalid_request() {
    let server = scripted(Script::of(vec![])).await;
    let request = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\n\
        upgrade: websocket\r\nsec-websocket-version: 7\r\n\r\n";
    let answer = read_all(&mut server.say(request).await).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(problem_of(body).code, Code::InvalidRequest, "{answer}");
}
