//! A peer that follows a script.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yoi_testkit::{RawPeer, RemoteRuntime, Step};
use yoi_workspace_server::{CallContext, Remote, RuntimeHandle};

const OK: &str = "HTTP/1.1 200 OK\r\nyoi-runtime-id: gpu-1\r\ncontent-type: application/json\r\n";

async fn ask(peer: &RawPeer) -> TcpStream {
    let mut stream = TcpStream::connect(peer.address()).await.unwrap();
    stream
        .write_all(b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
        .await
        .unwrap();
    stream
}

async fn all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn it_hears_says_and_waits_until_it_is_told() {
    let script = [
        Step::Hear,
        Step::say("one "),
        Step::Wait,
        Step::say("two"),
        Step::Close,
    ];
    let peer = RawPeer::start("gpu-1", script).await;
    let mut stream = ask(&peer).await;
    peer.until_heard(1).await;
    assert_eq!(
        peer.requests(),
        ["POST /x HTTP/1.1\r\ncontent-length: 2\r\n\r\nhi"]
    );
    let mut said = [0; 4];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"one ");
    let more = tokio::time::timeout(Duration::from_millis(30), stream.read_u8()).await;
    assert!(more.is_err(), "it did not wait: {more:?}");
    peer.go_on();
    assert_eq!(all(stream).await, "two");
}

#[tokio::test]
async fn a_script_for_each_connection_and_the_last_for_the_rest() {
    let says = |text: &str| vec![Step::Hear, Step::say(text), Step::Close];
    let peer = RawPeer::start_each("gpu-1", [says("first"), says("later")]).await;
    for expected in ["first", "later", "later"] {
        assert_eq!(all(ask(&peer).await).await, expected);
    }
}

#[tokio::test]
async fn it_resets_and_it_hangs() {
    let peer =
        RawPeer::start_each("gpu-1", [vec![Step::Hear, Step::Reset], vec![Step::Hang]]).await;
    let reset = ask(&peer).await.read_u8().await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    let mut hung = ask(&peer).await;
    let more = tokio::time::timeout(Duration::from_millis(30), hung.read_u8()).await;
    assert!(more.is_err(), "it did not hang: {more:?}");
}

#[tokio::test]
async fn a_backend_can_be_pointed_at_it() {
    let body = r#"{"workers":[]}"#;
    let whole = format!("{OK}content-length: {}\r\n\r\n{body}", body.len());
    let peer = RawPeer::start("gpu-1", [Step::Hear, Step::say(whole), Step::Close]).await;
    let remote = Remote::new(peer.id().clone(), &peer.remote_settings()).unwrap();
    let page = remote
        .list_workers(&Default::default(), &CallContext::default())
        .await
        .unwrap();
    assert!(page.workers.is_empty());
    assert!(peer.requests()[0].contains("yoi-runtime-id: gpu-1\r\n"));
}
