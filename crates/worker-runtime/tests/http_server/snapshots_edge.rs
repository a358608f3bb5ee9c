//! What stands before every route refuses at every route that documents it, and at no other.

use std::sync::Arc;

use worker_runtime::http::table;
use yoi_http_kit::{SecretString, TokenSet};
use yoi_protocol::Code;

use crate::answers::{Book, assert_kept};
use crate::support::{Served, repeatable};

/// Asks every route, and keeps the answers of those that document this code.
async fn every_route(book: &mut Book, served: &Served, code: Code, headers: &[(&str, &str)]) {
    for route in table().documented() {
        let method = route.method.as_str();
        let path = route.path.replace("{worker_id}", "w-1");
        if route.codes.contains(&code) {
            let answer = served.keep(book, code.as_str(), (method, &path), headers, None);
            answer.await.problem(code);
        } else {
            let answer = served.send(method, &path, headers, None).await;
            assert_ne!(answer.status().as_u16(), code.status(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_edge() {
    let mut book = Book::default();
    let book = &mut book;
    let open = repeatable(|_| {}).await;
    let page = [("origin", "http://localhost")];
    every_route(book, &open, Code::ForbiddenOrigin, &page).await;
    let elsewhere = [("yoi-runtime-id", "rt-other")];
    every_route(book, &open, Code::MisdirectedRequest, &elsewhere).await;

    let token = Arc::new(|| Some(SecretString::from("the-token".to_owned())));
    let guarded = repeatable(|setup| {
        setup.settings.tokens = TokenSet::open().with("backend", token);
    })
    .await;
    let wrong = [("authorization", "Bearer wrong")];
    every_route(book, &guarded, Code::Unauthorized, &wrong).await;

    let broken = repeatable(|setup| {
        let reader = Arc::new(|| panic!("the secret cannot be read"));
        setup.settings.tokens = TokenSet::open().with("backend", reader);
    })
    .await;
    every_route(book, &broken, Code::Internal, &wrong).await;

    let full = repeatable(|setup| setup.limits.max_requests = 1).await;
    full.worker("w-1", "held").await;
    full.input("w-1").await;
    let filling = full.post("/v1/workers/w-1/cancel", "{}");
    let meanwhile = async {
        full.hold.told().await;
        every_route(book, &full, Code::LimitReached, &[]).await;
        full.hold.release();
    };
    let (cancelled, ()) = tokio::join!(filling, meanwhile);
    cancelled.value(200);
    assert_kept!("runtime_edge", book);
}
