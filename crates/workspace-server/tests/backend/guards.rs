//! Who is let in.

use std::sync::Arc;

use serde_json::json;
use yoi_client::SecretString;
use yoi_http_kit::TokenSet;
use yoi_workspace_server::{Backend, Registration};

use crate::support::{STILL, Served, embedded};

async fn guarded() -> Served {
    let (runtime, _script) = embedded("inside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(runtime))
        .presence(STILL);
    Served::with(builder, |settings| {
        let reader = Arc::new(|| Some(SecretString::from("alices-token".to_owned())));
        settings.tokens = TokenSet::open().with("alice", reader);
    })
    .await
}

#[tokio::test]
async fn without_the_token_nothing_is_done() {
    let served = guarded().await;
    let path = "/api/runtimes/inside/workers";
    let body = json!({"worker_id": "w-1"});
    let wrong = [("authorization", "Bearer wrong")];
    for headers in [&[][..], &wrong[..]] {
        let reply = served.ask("POST", path, headers, Some(&body)).await;
        assert_eq!(reply.brief(), "401 unauthorized backend none");
        let events = served
            .ask("GET", &format!("{path}/w-1/events"), headers, None)
            .await;
        assert_eq!(events.status, 401);
    }
    assert_eq!(served.get("/healthz").await.status, 200);
    assert_eq!(served.get("/readyz").await.status, 200);
    assert_eq!(served.get("/metrics").await.status, 401);
    let right = [("authorization", "Bearer alices-token")];
    let reply = served.ask("POST", path, &right, Some(&body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

#[tokio::test]
async fn foreign_pages_and_hosts_are_refused() {
    let served = guarded().await;
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        let reply = served.ask("GET", "/api/runtimes", headers, None).await;
        assert_eq!(
            reply.brief(),
            "403 forbidden_origin backend -",
            "{headers:?}"
        );
    }
    // A second Host header, as an attacker's rebound name would come.
    let reply = served
        .ask("GET", "/api/runtimes", &[("host", "evil.example")], None)
        .await;
    assert_eq!(reply.status, 403);
}
