//! What pages of other origins are told.

use http::StatusCode;
use yoi_http_kit::{Browsers, OriginGuard, SecretString, TokenSet};
use yoi_protocol::Code;

use crate::support::{Answer, ask, edged, get};

fn backend() -> axum::Router {
    edged(|settings| {
        let browsers = Browsers::Allowed {
            origins: vec!["https://app.example".to_owned()],
        };
        settings.guard =
            OriginGuard::new("127.0.0.1:7400".parse().unwrap(), &[], &browsers).unwrap();
        settings.tokens = TokenSet::open().with(
            "alice",
            std::sync::Arc::new(|| Some(SecretString::from("s3"))),
        );
    })
}

async fn preflight(origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    ask(&backend(), "OPTIONS", "/notes/w-1", &headers, "").await
}

#[tokio::test]
async fn a_preflight_of_an_allowed_origin_needs_no_credential() {
    let answer = preflight("https://app.example").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("POST")
    );
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    assert_eq!(answer.header("vary"), "origin");
}

#[tokio::test]
async fn a_preflight_of_any_other_origin_is_forbidden() {
    let answer = preflight("https://evil.example").await;
    assert_eq!(answer.problem().code, Code::ForbiddenOrigin);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn options_that_are_no_preflight_need_the_credential() {
    let headers = [("origin", "https://app.example")];
    let answer = ask(&backend(), "OPTIONS", "/notes/w-1", &headers, "").await;
    assert_eq!(answer.problem().code, Code::Unauthorized);
}

#[tokio::test]
async fn an_allowed_page_can_read_answers_and_problems() {
    for (token, status) in [("Bearer s3", 200), ("Bearer wrong", 401)] {
        let headers = [("origin", "https://app.example"), ("authorization", token)];
        let answer = get(&backend(), "/notes/w-1", &headers).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://app.example"
        );
        assert!(
            answer
                .header("access-control-expose-headers")
                .contains("x-request-id")
        );
    }
    let own = get(&backend(), "/notes/w-1", &[("authorization", "Bearer s3")]).await;
    assert_eq!(own.header("access-control-allow-origin"), "");
}
