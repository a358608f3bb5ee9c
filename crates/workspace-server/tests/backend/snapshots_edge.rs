//! What stands before every route refuses at every route that documents it, and at no other.

use std::sync::Arc;

use yoi_client::SecretString;
use yoi_http_kit::TokenSet;
use yoi_protocol::Code;
use yoi_workspace_server::{HttpSettings, Registration, table};

use crate::answers::{Book, assert_kept};
use crate::kept::{broken_reader, repeatable, sealing};
use crate::support::Served;

async fn backend(change: impl FnOnce(&mut HttpSettings)) -> Served {
    let runtime = repeatable(|builder| builder).await;
    Served::with(sealing().runtime(Registration::embedded(runtime)), change).await
}

/// Asks every route, and keeps the answers of those that document this code.
async fn every_route(book: &mut Book, served: &Served, code: Code, headers: &[(&str, &str)]) {
    for route in table().documented() {
        let method = route.method.as_str();
        let path = route.path.replace("{runtime_id}", "inside");
        let path = path.replace("{worker_id}", "w-1");
        if route.codes.contains(&code) {
            let asked = (method, path.as_str());
            let reply = served.keep(book, code.as_str(), asked, headers, None).await;
            assert_eq!(reply.body["code"], code.as_str(), "{method} {path}");
        } else {
            let reply = served.ask(method, &path, headers, None).await;
            assert_ne!(reply.status, code.status(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_edge() {
    let mut book = Book::default();
    let book = &mut book;
    let open = backend(|_| {}).await;
    let page = [("origin", "https://evil.example")];
    every_route(book, &open, Code::ForbiddenOrigin, &page).await;
    let soon = [("yoi-deadline-ms", "soon")];
    every_route(book, &open, Code::InvalidRequest, &soon).await;

    let token = Arc::new(|| Some(SecretString::from("the-token".to_owned())));
    let guarded = |settings: &mut HttpSettings| {
        settings.tokens = TokenSet::open().with("alice", token);
    };
    let guarded = backend(guarded).await;
    let wrong = [("authorization", "Bearer wrong")];
    every_route(book, &guarded, Code::Unauthorized, &wrong).await;

    let broken = |settings: &mut HttpSettings| {
        settings.tokens = TokenSet::open().with("alice", broken_reader());
    };
    every_route(book, &backend(broken).await, Code::Internal, &wrong).await;

    let full = backend(|settings| settings.max_requests = 0).await;
    every_route(book, &full, Code::LimitReached, &[]).await;
    assert_kept!("backend_edge", book);
}
