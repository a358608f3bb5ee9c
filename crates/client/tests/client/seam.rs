//! Another way to the server than a network: what the seam promises to whoever builds one.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::stream::{self, StreamExt};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use yoi_client::transport::{Request, Response, Socket, Transport, TransportFault, Upgrade};
use yoi_client::{Call, StaticToken};

use crate::support::{RUNTIME, info, link, quick, row, worker_id, workers};

/// Answers in memory, and keeps what it was asked.
#[derive(Default)]
struct Memory {
    seen: Mutex<Vec<Request>>,
    /// What the next attempts end in, first come first.
    faults: Mutex<Vec<TransportFault>>,
}

impl Memory {
    fn take(&self, request: &Request) -> Result<HeaderMap, TransportFault> {
        self.seen.lock().unwrap().push(request.clone());
        let mut faults = self.faults.lock().unwrap();
        if !faults.is_empty() {
            return Err(faults.remove(0));
        }
        let mut headers = HeaderMap::new();
        headers.insert("yoi-runtime-id", HeaderValue::from_static(RUNTIME));
        Ok(headers)
    }
}

#[async_trait]
impl Transport for Memory {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        let headers = self.take(&request)?;
        let body = serde_json::to_vec(&info()).unwrap();
        let pieces: Vec<_> = body
            .chunks(7)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(Response {
            status: StatusCode::OK,
            headers,
            body: stream::iter(pieces).boxed(),
        })
    }

    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault> {
        let mut headers = self.take(&request)?;
        let key = derive_accept_key(request.headers["sec-websocket-key"].as_bytes());
        headers.insert("sec-websocket-accept", key.parse().unwrap());
        let (near, far) = tokio::io::duplex(1024);
        tokio::spawn(async move {
            let mut socket = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
            let frame = r#"{"kind":"control","control":{"type":"caught_up"}}"#;
            socket.send(Message::text(frame)).await.unwrap();
            socket.close(None).await.unwrap();
        });
        Ok(Upgrade::Opened {
            headers,
            socket: Socket::new(near),
        })
    }
}

#[tokio::test]
async fn answers_and_streams_come_through_it() {
    let memory = Arc::new(Memory::default());
    let builder = link("http://nowhere.invalid").transport(memory.clone());
    let client = builder.build().unwrap();
    let answer = client.runtime_info(&Call::default()).await.unwrap();
    assert_eq!(answer.value, info());
    let mut frames = client
        .workers(yoi_protocol::Api::Runtime)
        .events(&worker_id(), None, &Call::default())
        .await
        .unwrap();
    assert_eq!(frames.next().await.unwrap().kind().unwrap(), "control");
    assert!(frames.next().await.is_err());
    assert_eq!(memory.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_it_says_was_not_sent_is_sent_again() {
    let memory = Arc::new(Memory {
        faults: Mutex::new(vec![TransportFault::Refused, TransportFault::Reset]),
        ..Memory::default()
    });
    let builder = link("http://nowhere.invalid")
        .retry(quick(5))
        .transport(memory.clone());
    let error = workers(builder)
        .stop(&worker_id(), &Default::default(), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable reset unknown");
    assert_eq!(error.attempts, 2);
    assert_eq!(memory.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_request_shows_neither_address_nor_token() {
    let memory = Arc::new(Memory::default());
    let client = link("http://canary-host.invalid/canary-path")
        .credential(Arc::new(StaticToken::new("canary-token")))
        .transport(memory.clone())
        .build()
        .unwrap();
    client.runtime_info(&Call::default()).await.unwrap();
    let request = memory.seen.lock().unwrap().remove(0);
    assert_eq!(
        request.uri.to_string(),
        "http://canary-host.invalid/canary-path/v1/runtime"
    );
    assert_eq!(request.headers[AUTHORIZATION], "Bearer canary-token");
    assert!(request.headers[AUTHORIZATION].is_sensitive());
    let shown = format!("{request:?}");
    assert!(!shown.contains("canary"), "{shown}");
}
