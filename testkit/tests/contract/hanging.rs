//! A Runtime that says what it is, and nothing after that.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep, timeout};
use yoi_client::transport::{Request, Response, Transport, TransportFault, Upgrade};
use yoi_protocol::RuntimeInfo;
use yoi_testkit::contract::{CheckError, Outcome, Target, check, check_telling};
use yoi_testkit::{RawPeer, Step, fixtures};

/// One that answers its first three callers, and lets all others wait.
async fn silent() -> RawPeer {
    let body = fixtures::get("answers/runtime").text();
    let info: RuntimeInfo = serde_json::from_str(body).expect("a fixture is what it says");
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         yoi-runtime-id: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        info.runtime_id
    );
    let answers = [Step::Hear, Step::say(answer), Step::Close];
    let mut scripts = vec![answers.to_vec(); 3];
    scripts.push(vec![Step::Hear, Step::Hang]);
    RawPeer::start_each("gpu-1", scripts).await
}

fn target(peer: &RawPeer) -> Target {
    Target::new(format!("http://{}", peer.address()))
}

#[tokio::test]
async fn after_three_checks_in_vain_nothing_more_is_asked() {
    let peer = silent().await;
    let mut told = 0;
    let target = target(&peer).patience(Duration::from_secs(3));
    let report = check_telling(&target, &mut |_| told += 1).await.unwrap();
    assert_eq!(
        (report.failed, told),
        (3, report.checks.len()),
        "{report:#?}"
    );
    let given_up = "the runtime did not answer in time in 3 checks in a row";
    let is_given_up = |one: &&_| matches!(one, Outcome::Skipped { reason } if reason == given_up);
    let outcomes = report.checks.iter().map(|one| &one.outcome);
    let skipped = outcomes.filter(is_given_up).count();
    assert_eq!(
        skipped + report.passed + report.failed,
        report.checks.len(),
        "{report:#?}"
    );
    // They may have been created.
    assert!(!report.left_behind.is_empty());
}

#[tokio::test]
async fn when_the_time_is_over_the_rest_is_skipped() {
    let peer = silent().await;
    let target = target(&peer)
        .patience(Duration::from_secs(6))
        .timeout(Duration::from_secs(5));
    let report = check(&target).await.unwrap();
    assert_eq!((report.failed, report.cut_short), (0, true), "{report:#?}");
    let last = report.checks.last().map(|one| &one.outcome);
    let reason = "the time for all checks together is over".to_owned();
    assert_eq!(last, Some(&Outcome::Skipped { reason }));
}

/// A way at whose end somebody says a byte a second, for ever.
struct Trickling;

#[async_trait]
impl Transport for Trickling {
    async fn send(&self, _: Request) -> Result<Response, TransportFault> {
        let bytes = stream::repeat(()).then(async |()| {
            sleep(Duration::from_secs(1)).await;
            Ok(" ".into())
        });
        Ok(Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: bytes.boxed(),
        })
    }

    async fn upgrade(&self, _: Request) -> Result<Upgrade, TransportFault> {
        Err(TransportFault::Refused)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_takes_no_longer_than_there_is_time() {
    let target = Target::new("http://127.0.0.1:9").transport(Arc::new(Trickling));
    let target = target.timeout(Duration::from_secs(10));
    let began = Instant::now();
    let error = check(&target).await.unwrap_err();
    assert!(matches!(error, CheckError::Unanswered(_)), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn the_time_counts_from_the_first_question_and_not_from_the_first_check() {
    let peer = silent().await;
    let target = target(&peer)
        .patience(Duration::from_secs(600))
        .timeout(Duration::from_secs(3));
    let checked = timeout(Duration::from_secs(120), check(&target)).await;
    let report = checked.expect("no time is left").unwrap();
    assert_eq!((report.failed, report.cut_short), (0, true), "{report:#?}");
}
