//! A link that is well.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yoi_client::Call;
use yoi_protocol::{CreateWorker, Operation};
use yoi_testkit::{FaultProxy, RemoteRuntime, TestBackend, TestRuntime};

use crate::rig::Rig;

#[tokio::test]
async fn every_operation_passes_and_is_noted() {
    let rig = Rig::start().await;
    for &operation in Operation::ALL {
        let worker = rig.worker().await;
        rig.ask(operation, &worker).await.unwrap();
    }
    let seen = rig.link.exchanges();
    let asked: Vec<_> = seen
        .iter()
        .filter_map(|exchange| exchange.operation)
        .collect();
    assert_eq!(asked, Operation::ALL);
    assert!(
        seen.iter()
            .all(|exchange| exchange.forwarded && exchange.fault.is_none())
    );
}

#[tokio::test]
async fn a_backend_takes_it_and_its_own_looks_pass_too() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    assert_eq!(link.id(), runtime.id());
    let backend = TestBackend::builder().remote(&link).start().await;
    let workers = backend.workers("gpu-1");
    workers
        .create(&CreateWorker::default(), &Call::default())
        .await
        .unwrap();
    let create =
        |exchange: &yoi_testkit::Exchange| exchange.operation == Some(Operation::CreateWorker);
    assert_eq!(link.exchanges().into_iter().filter(create).count(), 1);
}

#[tokio::test]
async fn a_wrong_credential_is_the_runtimes_to_refuse() {
    let rig = Rig::start().await;
    let other = yoi_client::StaticToken::new("not-this-one");
    let builder = rig
        .link
        .client_builder()
        .credential(std::sync::Arc::new(other));
    let error = builder
        .build()
        .unwrap()
        .runtime_info(&Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.code.as_str(), "runtime_auth_failed");
    let client = rig.link.client_builder().build().unwrap();
    client.runtime_info(&Call::default()).await.unwrap();
}

#[tokio::test]
async fn a_runtime_that_is_gone_resets_and_comes_back() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    rig.runtime.kill().await;
    let failure = rig.ask(Operation::GetWorker, &worker).await.unwrap_err();
    assert_eq!(failure.code.as_str(), "runtime_unreachable");
    rig.runtime.restart().await;
    rig.ask(Operation::GetWorker, &worker).await.unwrap();
}

/// There is one request to a connection, and whoever asks is to know: also where the Runtime would
/// have kept it.
#[tokio::test]
async fn every_answer_says_that_the_connection_ends_with_it() {
    let runtime = TestRuntime::start().await;
    let link = FaultProxy::to(&runtime).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (path, headers) in [("/v1/workers", ""), ("/v1/workers/w-1/events/ws", upgrade)] {
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.contains("\r\nconnection: close"), "{answer}");
    }
}
