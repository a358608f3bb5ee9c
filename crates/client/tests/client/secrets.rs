//! Nothing that the client says shows where it connects to or with what.

use std::sync::Arc;

use yoi_client::{Call, Client, Perspective, RetryPolicy, StaticToken};
use yoi_protocol::{Api, InputRequest};

use crate::peer::{Peer, Then, answer, closed_port};
use crate::support::{runtime_id, worker_id};

const TOKEN: &str = "canary-token-93f1";

fn assert_silent(what: &str, text: &str, address: &str) {
    let port = address.rsplit(':').next().unwrap();
    for canary in [TOKEN, address, "canary-host", "canary-path", port] {
        assert!(!text.contains(canary), "{what} shows {canary}: {text}");
    }
}

async fn check(url: &str, address: &str) {
    let builder = Client::builder(url)
        .unwrap()
        .perspective(Perspective::Link)
        .addressee(runtime_id())
        .retry(RetryPolicy::NEVER)
        .timeouts(yoi_client::Timeouts {
            connect: std::time::Duration::from_millis(300),
            response: std::time::Duration::from_millis(300),
            request: std::time::Duration::from_secs(2),
        })
        .credential(Arc::new(StaticToken::new(TOKEN)));
    assert_silent("the builder", &format!("{builder:?}"), address);
    let client = builder.build().unwrap();
    assert_silent("the client", &format!("{client:?}"), address);
    let workers = client.workers(Api::Runtime);
    assert_silent("the workers", &format!("{workers:?}"), address);
    let call = Call::default();
    let error = workers
        .input(&worker_id(), &InputRequest::new("hi"), &call)
        .await
        .unwrap_err();
    assert_silent("an error", &format!("{error} {error:?}"), address);
    let error = workers.events(&worker_id(), None, &call).await.unwrap_err();
    assert_silent("an error of events", &format!("{error} {error:?}"), address);
}

#[tokio::test]
async fn no_error_shows_the_address_or_the_token() {
    let refused = closed_port().await.to_string();
    check(&format!("http://{refused}/canary-path"), &refused).await;
    check(
        "http://canary-host.invalid:40961/canary-path",
        "canary-host.invalid:40961",
    )
    .await;
    for then in [
        Then::SayAndReset(Vec::new()),
        Then::SayAndHang(Vec::new()),
        Then::Say(b"SSH-2.0-nothing\r\n\r\n".to_vec()),
        Then::Say(answer("307 Go", "location: http://canary-host/\r\n", "")),
        Then::Say(answer("500 Oh", "", TOKEN)),
        Then::Say(answer("401 No", "", TOKEN)),
    ] {
        let peer = Peer::start(vec![then]).await;
        let address = peer.address().to_string();
        check(&format!("{}/canary-path", peer.url()), &address).await;
    }
}

#[test]
fn no_refused_address_is_repeated() {
    for url in [
        "canary-host",
        "http://canary-user:canary-token-93f1@canary-host",
        "http://canary-host/canary-path?canary-token-93f1",
        "gopher://canary-host:40961",
    ] {
        let error = Client::builder(url).unwrap_err();
        assert_silent(
            "a refusal",
            &format!("{error} {error:?}"),
            "canary-host:40961",
        );
    }
}

#[test]
fn a_token_does_not_show_itself() {
    let text = format!("{:?}", StaticToken::new(TOKEN));
    assert_silent("the token", &text, "canary-host:40961");
}
