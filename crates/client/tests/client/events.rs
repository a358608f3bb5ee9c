//! Event streams, against a scripted WebSocket peer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use yoi_client::transport::{self, Socket, Transport, TransportFault, Upgrade};
use yoi_client::{Call, Client, ClientBuilder, FrameStream};
use yoi_protocol::{Api, Code, Cursor, Failure, StreamEnd};

use crate::peer::{NAMED, Peer, Then, answer, closed_port};
use crate::support::{RUNTIME, impatient, link, quick, row, worker_id, workers};

type Ws = WebSocketStream<TcpStream>;

/// A WebSocket server for one connection, which then does what `script` says.
struct Scripted {
    url: String,
    request: JoinHandle<(String, Option<String>)>,
}

async fn scripted<F>(
    name: Option<&'static str>,
    script: impl FnOnce(Ws) -> F + Send + 'static,
) -> Scripted
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut seen = (String::new(), None);
        #[allow(
            clippy::result_large_err,
            reason = "the callback's type is tungstenite's"
        )]
        let look = |request: &Request, mut response: Response| {
            seen.0 = request.uri().to_string();
            seen.1 = request
                .headers()
                .get("yoi-runtime-id")
                .map(|value| value.to_str().unwrap().to_owned());
            if let Some(name) = name {
                let headers = response.headers_mut();
                headers.insert("yoi-runtime-id", name.parse().unwrap());
                headers.insert("yoi-boot-id", "b-1".parse().unwrap());
            }
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, look)
            .await
            .unwrap();
        tokio::spawn(script(socket));
        seen
    });
    Scripted { url, request }
}

fn patient(url: &str) -> ClientBuilder {
    link(url).idle(Duration::from_secs(60))
}

async fn open(builder: ClientBuilder) -> FrameStream {
    workers(builder)
        .events(&worker_id(), None, &Call::default())
        .await
        .unwrap()
}

async fn say(socket: &mut Ws, text: &str) {
    socket.send(Message::text(text.to_owned())).await.unwrap();
}

async fn close<S>(socket: &mut WebSocketStream<S>, code: u16)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = CloseFrame {
        code: CloseCode::from(code),
        reason: "".into(),
    };
    socket.close(Some(frame)).await.unwrap();
    while socket.next().await.is_some_and(|heard| heard.is_ok()) {}
}

fn event(seq: u64) -> String {
    format!(
        r#"{{"kind":"event","seq":{seq},"cursor":"c{seq}","worker_id":"w-1","at":"2026-01-01T00:00:00Z","event":{{"type":"from_the_future","x":1}},"more":[1]}}"#
    )
}

fn diagnostic(code: &str) -> String {
    format!(r#"{{"kind":"diagnostic","diagnostic":{{"code":"{code}","message":"so it is"}}}}"#)
}

/// How a stream ends that says these frames and this close.
async fn ends(frames: Vec<String>, code: u16) -> StreamEnd {
    let peer = scripted(Some(RUNTIME), async move |mut socket: Ws| {
        for frame in &frames {
            say(&mut socket, frame).await;
        }
        close(&mut socket, code).await;
    })
    .await;
    let mut stream = open(patient(&peer.url)).await;
    loop {
        if let Err(end) = stream.next().await {
            assert_eq!(stream.next().await.unwrap_err(), end, "it ends for good");
            return end;
        }
    }
}

fn failed(end: StreamEnd) -> String {
    match end {
        StreamEnd::Failed(failure) => row(&failure),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn frames_come_in_order_and_to_the_byte() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        for seq in 1..=100 {
            say(&mut socket, &event(seq)).await;
        }
        close(&mut socket, 1000).await;
    })
    .await;
    let cursor = Cursor::parse("c0").unwrap();
    let mut stream = workers(patient(&peer.url))
        .events(&worker_id(), Some(&cursor), &Call::default())
        .await
        .unwrap();
    assert_eq!(stream.boot_id().unwrap().as_str(), "b-1");
    for seq in 1..=100 {
        assert_eq!(stream.next().await.unwrap().to_text(), event(seq));
    }
    assert_eq!(stream.next().await.unwrap_err(), StreamEnd::Complete);
    let (uri, addressee) = peer.request.await.unwrap();
    assert_eq!(uri, "/v1/workers/w-1/events/ws?cursor=c0");
    assert_eq!(addressee.as_deref(), Some(RUNTIME));
}

#[tokio::test]
async fn waiting_for_a_frame_may_be_given_up_and_taken_up_again() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        for seq in 1..=200 {
            say(&mut socket, &event(seq)).await;
            tokio::task::yield_now().await;
        }
        close(&mut socket, 1000).await;
    })
    .await;
    let mut stream = open(patient(&peer.url)).await;
    let mut seen = Vec::new();
    let end = loop {
        tokio::select! {
            biased;
            frame = stream.next() => match frame {
                Ok(frame) => seen.push(frame.seq().unwrap()),
                Err(end) => break end,
            },
            () = tokio::task::yield_now() => {}
        }
    };
    assert_eq!(end, StreamEnd::Complete);
    assert_eq!(seen, (1..=200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn closes_without_a_word() {
    assert_eq!(ends(vec![], 1000).await, StreamEnd::Complete);
    assert_eq!(ends(vec![], 1012).await, StreamEnd::Draining);
    assert_eq!(ends(vec![], 1013).await, StreamEnd::SlowConsumer);
    assert_eq!(ends(vec![], 1008).await, StreamEnd::ObservationOnly);
    assert_eq!(failed(ends(vec![], 1011).await), "runtime_failed none");
    assert_eq!(
        failed(ends(vec![], 1001).await),
        "runtime_unreachable reset none"
    );
    assert_eq!(
        failed(ends(vec![], 4404).await),
        "runtime_protocol_error none",
        "only a coded word says that a worker is gone"
    );
}

#[tokio::test]
async fn the_final_diagnostic_is_the_end() {
    for (code, close, expected) in [
        ("slow_consumer", 1013, StreamEnd::SlowConsumer),
        ("draining", 1012, StreamEnd::Draining),
        ("observation_only", 1008, StreamEnd::ObservationOnly),
    ] {
        assert_eq!(
            ends(vec![event(1), diagnostic(code)], close).await,
            expected
        );
    }
    for (code, close, expected) in [
        ("cursor_expired", 4410, "cursor_expired none"),
        ("worker_not_found", 4404, "worker_not_found none"),
        ("unavailable", 4503, "runtime_unavailable draining none"),
        ("unauthorized", 4401, "runtime_auth_failed none"),
        ("internal", 4500, "runtime_failed none"),
        ("from_the_future", 4499, "runtime_protocol_error none"),
    ] {
        let end = ends(vec![diagnostic(code)], close).await;
        assert_eq!(failed(end), expected, "{code}");
    }
}

#[tokio::test]
async fn to_a_caller_each_diagnostic_is_what_it_says() {
    for &code in Code::ALL {
        let text = diagnostic(code.as_str());
        let peer = scripted(None, async move |mut socket: Ws| {
            say(&mut socket, &text).await;
            close(&mut socket, yoi_protocol::stream::close_code(code)).await;
        })
        .await;
        let mut stream = Client::builder(&peer.url)
            .unwrap()
            .build()
            .unwrap()
            .workers(Api::Runtime)
            .events(&worker_id(), None, &Call::default())
            .await
            .unwrap();
        assert_eq!(
            stream.next().await.unwrap_err(),
            StreamEnd::Failed(Failure::new(code))
        );
    }
}

#[tokio::test]
async fn a_diagnostic_stands_even_when_the_close_is_lost() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        say(&mut socket, &diagnostic("cursor_unknown")).await;
        drop(socket);
    })
    .await;
    let mut stream = open(patient(&peer.url)).await;
    assert_eq!(
        failed(stream.next().await.unwrap_err()),
        "cursor_unknown none"
    );
}

#[tokio::test]
async fn a_connection_that_is_cut() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        say(&mut socket, &event(1)).await;
        socket.get_ref().set_zero_linger().unwrap();
    })
    .await;
    let mut stream = open(patient(&peer.url)).await;
    let mut end = stream.next().await;
    if end.is_ok() {
        end = stream.next().await;
    }
    assert_eq!(failed(end.unwrap_err()), "runtime_unreachable reset none");
}

#[tokio::test]
async fn what_is_no_frame() {
    for text in [
        "hello",
        "[1]",
        r#"{"kind":"event","cursor":"c1","event":{"type":"x"}}"#,
        r#"{"kind":"diagnostic","diagnostic":"so"}"#,
        &format!(
            r#"{{"kind":"event","seq":1,"cursor":"{}","event":{{"type":"x"}}}}"#,
            "c".repeat(129)
        ),
    ] {
        let end = ends(vec![text.to_owned()], 1000).await;
        assert_eq!(failed(end), "runtime_protocol_error none", "{text}");
    }
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        socket.send(Message::binary(vec![1])).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let end = open(patient(&peer.url)).await.next().await.unwrap_err();
    assert_eq!(failed(end), "runtime_protocol_error none");
}

#[tokio::test]
async fn a_frame_over_its_cap() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        let _ = socket.send(Message::text("x".repeat(5000))).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut stream = open(patient(&peer.url).max_frame_bytes(4999)).await;
    let end = stream.next().await.unwrap_err();
    assert_eq!(failed(end), "runtime_protocol_error none");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_lost() {
    // Reads nothing, so it answers no ping either.
    let peer = scripted(Some(RUNTIME), async |socket: Ws| {
        let _held = socket;
        std::future::pending::<()>().await;
    })
    .await;
    let mut stream = open(link(&peer.url).idle(Duration::from_millis(300))).await;
    let begun = tokio::time::Instant::now();
    let end = stream.next().await.unwrap_err();
    assert_eq!(failed(end), "runtime_timed_out body none");
    assert!(begun.elapsed() >= Duration::from_millis(290));
}

/// The way to a server in memory that says nothing by itself, answers pings, and ends the stream
/// after the third.
struct ThreePings;

#[async_trait]
impl Transport for ThreePings {
    async fn send(
        &self,
        _request: transport::Request,
    ) -> Result<transport::Response, TransportFault> {
        panic!("nothing is asked but for the stream");
    }

    async fn upgrade(&self, request: transport::Request) -> Result<Upgrade, TransportFault> {
        let key = derive_accept_key(request.headers["sec-websocket-key"].as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("yoi-runtime-id", HeaderValue::from_static(RUNTIME));
        headers.insert("sec-websocket-accept", key.parse().unwrap());
        let (near, far) = tokio::io::duplex(1024);
        tokio::spawn(async move {
            let mut socket = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
            let mut pings = 0;
            // Reading answers a ping.
            while pings < 3 {
                let heard = socket.next().await.unwrap().unwrap();
                pings += usize::from(heard.is_ping());
            }
            close(&mut socket, 1000).await;
        });
        Ok(Upgrade::Opened {
            headers,
            socket: Socket::new(near),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_pings_is_alive() {
    let builder = link("http://nowhere.invalid").transport(Arc::new(ThreePings));
    let begun = tokio::time::Instant::now();
    let mut stream = open(builder.idle(Duration::from_secs(1))).await;
    assert_eq!(stream.next().await.unwrap_err(), StreamEnd::Complete);
    assert!(begun.elapsed() > Duration::from_secs(1));
}

#[tokio::test]
async fn pings_of_the_server_are_answered() {
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        socket.send(Message::Ping("p".into())).await.unwrap();
        let heard = socket.next().await.unwrap().unwrap();
        assert_eq!(heard, Message::Pong("p".into()));
        close(&mut socket, 1000).await;
    })
    .await;
    let mut stream = open(patient(&peer.url)).await;
    assert_eq!(stream.next().await.unwrap_err(), StreamEnd::Complete);
}

#[tokio::test]
async fn a_stream_that_is_closed_says_goodbye() {
    let (told, heard) = tokio::sync::oneshot::channel();
    let peer = scripted(Some(RUNTIME), async |mut socket: Ws| {
        let mut last = None;
        while let Some(Ok(message)) = socket.next().await {
            last = Some(message);
        }
        told.send(last).unwrap();
    })
    .await;
    open(patient(&peer.url)).await.close().await;
    let Some(Message::Close(Some(frame))) = heard.await.unwrap() else {
        panic!("the last message was no close");
    };
    assert_eq!(frame.code, CloseCode::Normal);
}

async fn refused(then: Then) -> String {
    refused_by(link, then).await
}

async fn refused_by(client: impl Fn(&str) -> ClientBuilder, then: Then) -> String {
    let peer = Peer::start(vec![then]).await;
    let error = workers(client(&peer.url()))
        .events(&worker_id(), None, &Call::default())
        .await
        .unwrap_err();
    row(&error.failure)
}

#[tokio::test]
async fn refused_upgrades_take_the_same_rows() {
    let coded = answer("404 Not Found", NAMED, r#"{"code":"worker_not_found"}"#);
    assert_eq!(refused(Then::Say(coded)).await, "worker_not_found none");
    for (status, expected) in [
        ("401 No", "runtime_auth_failed none"),
        ("404 No", "operation_unsupported none"),
        ("426 No", "runtime_protocol_error none"),
        ("307 There", "runtime_protocol_error none"),
        ("500 Oh", "runtime_failed none"),
        ("503 Busy", "runtime_unavailable overloaded none"),
    ] {
        let answer = answer(status, NAMED, "");
        assert_eq!(refused(Then::Say(answer)).await, expected, "{status}");
    }
    let polite = answer("200 OK", NAMED, "{}");
    assert_eq!(
        refused(Then::Say(polite)).await,
        "runtime_protocol_error none"
    );
    let another = answer("404 No", "yoi-runtime-id: gpu-2\r\n", "");
    assert_eq!(
        refused(Then::Say(another)).await,
        "runtime_identity_mismatch none"
    );
    assert_eq!(
        refused_by(impatient, Then::SayAndHang(Vec::new())).await,
        "runtime_timed_out response none"
    );
    assert_eq!(
        refused(Then::SayAndReset(Vec::new())).await,
        "runtime_unreachable reset none"
    );
}

#[tokio::test]
async fn nobody_listens() {
    let url = format!("http://{}", closed_port().await);
    let error = workers(link(&url).retry(quick(2)))
        .events(&worker_id(), None, &Call::default())
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable refused none");
    assert_eq!(error.attempts, 2, "a read is tried again");
}

#[tokio::test]
async fn an_upgrade_by_nobody_or_by_another() {
    for (name, expected) in [
        (None, "runtime_protocol_error none"),
        (Some("gpu-2"), "runtime_identity_mismatch none"),
    ] {
        let peer = scripted(name, async |_socket: Ws| {}).await;
        let error = workers(link(&peer.url))
            .events(&worker_id(), None, &Call::default())
            .await
            .unwrap_err();
        assert_eq!(row(&error.failure), expected);
    }
}

#[tokio::test]
async fn an_upgrade_that_did_not_read_the_key() {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\n{NAMED}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: AAAA\r\n\r\n"
    );
    assert_eq!(
        refused(Then::SayAndHang(head.into_bytes())).await,
        "runtime_protocol_error none"
    );
}
