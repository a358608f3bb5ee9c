//! The bearer token, and what a 401 leads to.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, ResponseTemplate};
use yoi_client::{Call, Client, Credential, SecretString, StaticToken};
use yoi_protocol::{Code, InputRequest};

use crate::support::{RUNTIME, accepted, info, link, row, worker_id, workers};

/// A token in a file that somebody has changed: reading it again gives another one.
struct Rotated {
    token: Mutex<&'static str>,
    next: &'static str,
    refreshed: AtomicUsize,
}

impl Rotated {
    fn new(token: &'static str, next: &'static str) -> Arc<Self> {
        Arc::new(Self {
            token: Mutex::new(token),
            next,
            refreshed: AtomicUsize::new(0),
        })
    }

    fn refreshes(&self) -> usize {
        self.refreshed.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Credential for Rotated {
    async fn token(&self) -> Option<SecretString> {
        Some(SecretString::from(*self.token.lock().unwrap()))
    }

    async fn refresh(&self) -> bool {
        self.refreshed.fetch_add(1, Ordering::SeqCst);
        // Long enough for others to be refused meanwhile.
        tokio::task::yield_now().await;
        let mut token = self.token.lock().unwrap();
        let changed = *token != self.next;
        *token = self.next;
        changed
    }
}

/// Takes the token `new` and no other.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    let named = |status| ResponseTemplate::new(status).insert_header("yoi-runtime-id", RUNTIME);
    Mock::given(header("authorization", "Bearer new"))
        .and(wiremock::matchers::method("GET"))
        .respond_with(named(200).set_body_json(info()))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(named(202).set_body_json(accepted()))
        .with_priority(2)
        .mount(&server)
        .await;
    Mock::given(wiremock::matchers::any())
        .respond_with(named(401))
        .with_priority(3)
        .mount(&server)
        .await;
    server
}

async fn sent(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_401_makes_it_read_the_token_again() {
    let server = server().await;
    let credential = Rotated::new("old", "new");
    let answer = workers(link(&server.uri()).credential(credential.clone()))
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap();
    assert_eq!(answer.value, accepted());
    assert_eq!(credential.refreshes(), 1);
    assert_eq!(sent(&server).await, 2);
}

/// How often a token is read again, and how often an input is sent, before it is given up.
async fn given_up(credential: Arc<Rotated>) -> (usize, usize) {
    let server = server().await;
    let error = workers(link(&server.uri()).credential(credential.clone()))
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_auth_failed none");
    (credential.refreshes(), sent(&server).await)
}

#[tokio::test]
async fn once() {
    assert_eq!(given_up(Rotated::new("old", "also wrong")).await, (1, 2));
}

#[tokio::test]
async fn the_same_token_is_not_sent_again() {
    assert_eq!(given_up(Rotated::new("old", "old")).await, (1, 1));
}

#[tokio::test]
async fn a_403_is_not_about_the_token() {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(403))
        .mount(&server)
        .await;
    let credential = Rotated::new("old", "new");
    let error = workers(link(&server.uri()).credential(credential.clone()))
        .get(&worker_id(), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.failure.code, Code::RuntimeAuthFailed);
    assert_eq!(credential.refreshes(), 0);
}

#[tokio::test]
async fn many_refused_at_once_read_it_again_once() {
    let server = server().await;
    let credential = Rotated::new("old", "new");
    let client: Client = link(&server.uri())
        .credential(credential.clone())
        .build()
        .unwrap();
    let call = Call::default();
    let calls = (0..16).map(|_| client.runtime_info(&call));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().value, info());
    }
    assert_eq!(credential.refreshes(), 1);
}

#[tokio::test]
async fn a_token_that_never_changes_is_sent() {
    let server = server().await;
    let client = link(&server.uri())
        .credential(Arc::new(StaticToken::new("new")))
        .build()
        .unwrap();
    assert!(client.runtime_info(&Call::default()).await.is_ok());
}
