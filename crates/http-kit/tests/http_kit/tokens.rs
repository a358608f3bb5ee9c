//! Who is let in by token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use yoi_http_kit::{SecretString, TokenSet};
use yoi_protocol::Code;

use crate::support::{ask, edged, get, table};

fn fixed(text: &'static str) -> yoi_http_kit::SecretReader {
    Arc::new(move || Some(SecretString::from(text)))
}

fn guarded() -> axum::Router {
    edged(|settings| {
        settings.tokens = TokenSet::open()
            .with("alice", fixed("secret-of-alice"))
            .with("bob", fixed("secret-of-bob"))
            .with("nobody", Arc::new(|| None))
            .with("empty", fixed(""));
    })
}

#[tokio::test]
async fn every_route_but_health_needs_a_token() {
    let router = guarded();
    let mut paths: Vec<&str> = table().entries().map(|(_, path)| path).collect();
    paths.extend(["/metrics", "/nowhere", "/hold"]);
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            let answer = ask(&router, method, path, &[], "").await;
            assert_eq!(answer.problem().code, Code::Unauthorized, "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(get(&router, "/healthz", &[]).await.status, StatusCode::OK);
    let ready = get(&router, "/readyz", &[]).await;
    assert_eq!(ready.problem().code, Code::Unavailable);
}

#[tokio::test]
async fn a_token_names_its_principal() {
    let router = guarded();
    for (header, principal) in [
        ("Bearer secret-of-alice", "alice"),
        ("bearer secret-of-bob", "bob"),
    ] {
        let answer = get(&router, "/caller", &[("authorization", header)]).await;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["principal"], principal);
    }
    let open = get(&edged(|_| {}), "/caller", &[]).await;
    let body: serde_json::Value = serde_json::from_slice(&open.body).unwrap();
    assert_eq!(body["principal"], "local");
}

#[tokio::test]
async fn anything_else_is_unauthorized() {
    let router = guarded();
    let right = ("authorization", "Bearer secret-of-alice");
    for headers in [
        vec![("authorization", "Bearer secret-of-alic")],
        vec![("authorization", "Bearer secret-of-alice2")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "Bearer")],
        vec![("authorization", "")],
        vec![("authorization", "Basic secret-of-alice")],
        vec![("authorization", "secret-of-alice")],
        vec![right, right],
    ] {
        let answer = get(&router, "/caller", &headers).await;
        assert_eq!(answer.problem().code, Code::Unauthorized, "{headers:?}");
    }
    let in_the_query = get(&router, "/caller?token=secret-of-alice", &[]).await;
    assert_eq!(in_the_query.problem().code, Code::Unauthorized);
}

#[tokio::test]
async fn a_rotated_secret_holds_at_once() {
    let rotated = Arc::new(AtomicBool::new(false));
    let reader = Arc::clone(&rotated);
    let router = edged(|settings| {
        let secret = move || {
            let text = if reader.load(Ordering::SeqCst) {
                "new"
            } else {
                "old"
            };
            Some(SecretString::from(text))
        };
        settings.tokens = TokenSet::open().with("alice", Arc::new(secret));
    });
    let status = async |token| {
        get(&router, "/caller", &[("authorization", token)])
            .await
            .status
            .as_u16()
    };
    assert_eq!(
        (status("Bearer old").await, status("Bearer new").await),
        (200, 401)
    );
    rotated.store(true, Ordering::SeqCst);
    assert_eq!(
        (status("Bearer old").await, status("Bearer new").await),
        (401, 200)
    );
}

#[test]
fn debug_shows_names_alone() {
    let shown = format!("{:?}", TokenSet::open().with("alice", fixed("s3cr3t")));
    assert_eq!(shown, r#"["alice"]"#);
}
