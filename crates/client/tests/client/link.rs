//! The link table over real sockets: each fault that HTTP libraries cannot be made to commit.

use std::time::Duration;

use tokio::time::Instant;
use yoi_client::{Call, ClientBuilder};
use yoi_protocol::{Effect, InputRequest, Origin};

use crate::peer::{BlackHole, NAMED, Peer, Then, answer, closed_port};
use crate::support::{accepted, impatient, link, row, worker_id, workers};

/// Sends an input, and says as which row of the table it fails.
async fn input(builder: ClientBuilder) -> String {
    let error = workers(builder)
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.attempts, 1);
    row(&error.failure)
}

async fn input_to(then: Then) -> String {
    input_by(link, then).await
}

async fn input_by(client: impl Fn(&str) -> ClientBuilder, then: Then) -> String {
    let peer = Peer::start(vec![then]).await;
    let row = input(client(&peer.url())).await;
    assert_eq!(peer.requests().len(), 1, "the request did not arrive once");
    row
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    assert_eq!(
        input(link("http://no-such-host.invalid:7401")).await,
        "runtime_unreachable dns none"
    );
}

#[tokio::test]
async fn nobody_listens() {
    let url = format!("http://{}", closed_port().await);
    assert_eq!(input(link(&url)).await, "runtime_unreachable refused none");
}

#[tokio::test]
async fn connecting_never_ends() {
    let hole = BlackHole::open().await;
    assert_eq!(
        input(impatient(&hole.url())).await,
        "runtime_timed_out connect none"
    );
}

#[tokio::test]
async fn a_deadline_during_connecting_is_still_a_connect() {
    let hole = BlackHole::open().await;
    let call = Call::default().by(Instant::now() + Duration::from_secs(2));
    let error = workers(link(&hole.url()))
        .input(&worker_id(), &InputRequest::new("hi"), &call)
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_timed_out connect none");
}

#[tokio::test]
async fn tls_meets_something_else() {
    let peer = Peer::start(vec![Then::Say(
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    )])
    .await;
    // A TLS hello has no blank line, so the peer reads on: garbage has to come unasked.
    let url = format!("https://{}", peer.address());
    assert_eq!(
        input(impatient(&url)).await,
        "runtime_timed_out connect none",
        "a handshake that never ends is a connection that never stands"
    );
}

#[tokio::test]
async fn tls_handshake_is_answered_with_garbage() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.9\r\n")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(input(link(&url)).await, "runtime_unreachable tls none");
    serving.abort();
}

#[tokio::test]
async fn tls_handshake_is_cut() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        stream.set_zero_linger().unwrap();
    });
    assert_eq!(input(link(&url)).await, "runtime_unreachable tls none");
    serving.await.unwrap();
}

#[tokio::test]
async fn closed_before_the_head() {
    assert_eq!(
        input_to(Then::Say(Vec::new())).await,
        "runtime_unreachable reset unknown"
    );
}

#[tokio::test]
async fn reset_before_the_head() {
    assert_eq!(
        input_to(Then::SayAndReset(Vec::new())).await,
        "runtime_unreachable reset unknown"
    );
}

#[tokio::test]
async fn closed_within_the_head() {
    assert_eq!(
        input_to(Then::Say(b"HTTP/1.1 202 Acc".to_vec())).await,
        "runtime_unreachable reset unknown"
    );
}

#[tokio::test]
async fn no_head_in_time() {
    assert_eq!(
        input_by(impatient, Then::SayAndHang(Vec::new())).await,
        "runtime_timed_out response unknown"
    );
}

#[tokio::test]
async fn the_body_is_cut() {
    let body = serde_json::to_string(&accepted()).unwrap();
    let whole = answer("202 Accepted", NAMED, &body);
    let half = whole[..whole.len() - 5].to_vec();
    assert_eq!(
        input_to(Then::Say(half.clone())).await,
        "runtime_unreachable reset unknown",
        "truncated"
    );
    assert_eq!(
        input_to(Then::SayAndReset(half)).await,
        "runtime_unreachable reset unknown",
        "reset"
    );
}

#[tokio::test]
async fn a_chunked_body_is_cut() {
    let text =
        format!("HTTP/1.1 202 Accepted\r\n{NAMED}transfer-encoding: chunked\r\n\r\n5\r\n{{\"wo");
    assert_eq!(
        input_to(Then::Say(text.into_bytes())).await,
        "runtime_unreachable reset unknown"
    );
}

#[tokio::test]
async fn the_body_stalls() {
    let body = serde_json::to_string(&accepted()).unwrap();
    let whole = answer("202 Accepted", NAMED, &body);
    let half = whole[..whole.len() - 5].to_vec();
    assert_eq!(
        input_by(impatient, Then::SayAndHang(half)).await,
        "runtime_timed_out body unknown"
    );
}

#[tokio::test]
async fn not_http() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.9\r\n\r\n"[..],
        &b"\x15\x03\x03\x00\x02\x02\x0a"[..],
        &b"HTTP/1.1 banana\r\n\r\n"[..],
    ] {
        assert_eq!(
            input_to(Then::Say(garbage.to_vec())).await,
            "runtime_protocol_error unknown",
            "{garbage:?}"
        );
    }
}

#[tokio::test]
async fn somebody_who_speaks_first() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.9\r\n")
                .await
                .unwrap();
            held.push(stream);
        }
    });
    // Whether the banner comes before or after the request is sent is up to the kernel.
    for _ in 0..50 {
        assert_eq!(input(link(&url)).await, "runtime_protocol_error unknown");
    }
    serving.abort();
}

#[tokio::test]
async fn chunks_of_nonsense() {
    let text =
        format!("HTTP/1.1 202 Accepted\r\n{NAMED}transfer-encoding: chunked\r\n\r\nbanana\r\n");
    assert_eq!(
        input_to(Then::Say(text.into_bytes())).await,
        "runtime_protocol_error unknown"
    );
}

#[tokio::test]
async fn a_trickle_ends_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        crate::peer::read_request(&mut stream).await.unwrap();
        let head = format!("HTTP/1.1 202 Accepted\r\n{NAMED}content-length: 9999\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
            .await
            .unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut stream, b" ")
                .await
                .is_err()
            {
                return;
            }
        }
    });
    let begun = Instant::now();
    // The head has to come before.
    let call = Call::default().by(begun + Duration::from_secs(8));
    let error = workers(link(&url))
        .input(&worker_id(), &InputRequest::new("hi"), &call)
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_timed_out body unknown");
    // The call's own time would be 60 s.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
    serving.abort();
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let peer = Peer::start(vec![Then::SayAndHang(Vec::new())]).await;
    let call = Call::default().by(Instant::now());
    let error = workers(link(&peer.url()))
        .input(&worker_id(), &InputRequest::new("hi"), &call)
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "timed_out none");
    assert_eq!(error.attempts, 0);
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn faults_of_the_way_are_the_links() {
    let refused = format!("http://{}", closed_port().await);
    let error = workers(link(&refused))
        .get(&worker_id(), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.origin, Some(Origin::Link));
    assert_eq!(error.failure.effect, Effect::None, "a read changes nothing");
}

#[tokio::test]
async fn a_request_says_what_the_contract_wants() {
    let body = serde_json::to_string(&accepted()).unwrap();
    let peer = Peer::start(vec![Then::Say(answer("202 Accepted", NAMED, &body))]).await;
    let call = Call {
        request_id: Some(yoi_protocol::RequestId::parse("req-7").unwrap()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        ..Call::keyed(yoi_protocol::IdempotencyKey::parse("k-1").unwrap())
    }
    .by(Instant::now() + Duration::from_secs(20));
    workers(link(&peer.url()))
        .input(&worker_id(), &InputRequest::new("hi"), &call)
        .await
        .unwrap();
    let request = peer.requests().remove(0);
    for line in [
        "POST /v1/workers/w-1/input HTTP/1.1",
        "yoi-runtime-id: gpu-1",
        "x-request-id: req-7",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "idempotency-key: k-1",
        "content-type: application/json",
        "content-length: 16",
    ] {
        assert!(
            request.contains(&format!("{line}\r\n")),
            "{line} in {request}"
        );
    }
    assert!(request.ends_with(r#"{"content":"hi"}"#), "{request}");
    let left: u64 = request
        .lines()
        .find_map(|line| line.strip_prefix("yoi-deadline-ms: "))
        .unwrap()
        .parse()
        .unwrap();
    // The call's own time would be 60 s.
    assert!((1..=20_000).contains(&left), "{left}");
}
