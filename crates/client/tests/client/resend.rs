//! What is sent again, and what never is.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use yoi_client::transport::{Request, Response, Transport, TransportFault, Upgrade};
use yoi_client::{Answer, Call, CallError, ClientBuilder, RetryBudget, RetryPolicy, Workers};
use yoi_protocol::{Effect, IdempotencyKey, InputAccepted, InputRequest};

use crate::peer::{NAMED, Peer, Then, answer, closed_port};
use crate::support::{accepted, impatient, link, quick, row, worker_id, workers};

fn key() -> IdempotencyKey {
    IdempotencyKey::parse("k-1").unwrap()
}

fn success() -> Then {
    let body = serde_json::to_string(&accepted()).unwrap();
    Then::Say(answer("202 Accepted", NAMED, &body))
}

fn busy() -> Then {
    let body = r#"{"code":"worker_busy","effect":"none"}"#;
    Then::Say(answer("409 Conflict", NAMED, body))
}

fn lost() -> Then {
    Then::SayAndReset(Vec::new())
}

async fn input(peer: &Peer, call: &Call) -> Result<Answer<InputAccepted>, CallError> {
    input_by(link, peer, call).await
}

async fn input_by(
    client: impl Fn(&str) -> ClientBuilder,
    peer: &Peer,
    call: &Call,
) -> Result<Answer<InputAccepted>, CallError> {
    workers(client(&peer.url()).retry(quick(3)))
        .input(&worker_id(), &InputRequest::new("hi"), call)
        .await
}

#[tokio::test]
async fn a_command_without_a_key_is_never_sent_twice_after_unknown() {
    for fault in [
        lost(),
        Then::Say(Vec::new()),
        Then::SayAndHang(Vec::new()),
        Then::SayAndHang(answer("202 Accepted", NAMED, "{\"worker")[..90].to_vec()),
        Then::Say(answer("500 Oh No", "", "")),
        Then::Say(answer("503 Busy", "", "")),
        Then::Say(answer("408 Slow", "", "")),
    ] {
        let client = match fault {
            Then::SayAndHang(_) => impatient,
            _ => link,
        };
        let peer = Peer::start(vec![fault, success()]).await;
        let told = input_by(client, &peer, &Call::default()).await;
        let error = told.unwrap_err();
        assert_eq!(error.failure.effect, Effect::Unknown);
        assert_eq!(error.attempts, 1);
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_key_alone_is_no_leave_to_send_again() {
    let peer = Peer::start(vec![lost(), success()]).await;
    let call = Call {
        key: Some(key()),
        ..Call::default()
    };
    let error = input(&peer, &call).await.unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable reset unknown");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn leave_to_send_again_is_nothing_without_a_key() {
    let peer = Peer::start(vec![lost(), success()]).await;
    let call = Call {
        resend_unknown: true,
        ..Call::default()
    };
    assert!(input(&peer, &call).await.is_err());
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_keyed_command_is_sent_again_under_the_same_key() {
    let peer = Peer::start(vec![lost(), lost(), success()]).await;
    let answer = input(&peer, &Call::keyed(key())).await.unwrap();
    assert_eq!(answer.value, accepted());
    let requests = peer.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert!(request.contains("idempotency-key: k-1\r\n"), "{request}");
        assert!(request.ends_with(r#"{"content":"hi"}"#), "{request}");
    }
}

#[tokio::test]
async fn each_attempt_says_how_much_time_is_left() {
    let peer = Peer::start(vec![Then::SayAndHang(Vec::new()), success()]).await;
    let told = input_by(impatient, &peer, &Call::keyed(key())).await;
    told.unwrap();
    let left: Vec<u64> = peer
        .requests()
        .iter()
        .map(|request| {
            let line = request
                .lines()
                .find(|line| line.starts_with("yoi-deadline-ms"));
            line.unwrap()["yoi-deadline-ms: ".len()..].parse().unwrap()
        })
        .collect();
    assert!(left[0] <= 60_000 && left[1] + 1_400 <= left[0], "{left:?}");
}

#[tokio::test]
async fn the_effect_is_that_of_all_attempts_together() {
    let peer = Peer::start(vec![lost(), busy()]).await;
    let error = input(&peer, &Call::keyed(key())).await.unwrap_err();
    assert_eq!(row(&error.failure), "worker_busy unknown");
    assert_eq!(error.attempts, 2);
}

#[tokio::test]
async fn attempts_are_bounded() {
    let peer = Peer::start(vec![lost()]).await;
    let error = input(&peer, &Call::keyed(key())).await.unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable reset unknown");
    assert_eq!(error.attempts, 3);
    assert_eq!(peer.requests().len(), 3);
}

#[tokio::test]
async fn what_was_not_sent_is_tried_again_without_a_key() {
    let url = format!("http://{}", closed_port().await);
    let error = workers(link(&url).retry(quick(3)))
        .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable refused none");
    assert_eq!(error.attempts, 3);
}

#[tokio::test]
async fn a_command_that_was_refused_is_not_repeated() {
    let peer = Peer::start(vec![busy(), success()]).await;
    let error = input(&peer, &Call::keyed(key())).await.unwrap_err();
    assert_eq!(row(&error.failure), "worker_busy none");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn garbled_is_not_sent_again_even_with_a_key() {
    let garbled = Then::Say(answer("202 Accepted", NAMED, "{}"));
    let peer = Peer::start(vec![garbled, success()]).await;
    let error = input(&peer, &Call::keyed(key())).await.unwrap_err();
    assert_eq!(row(&error.failure), "runtime_protocol_error unknown");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_draining_runtime_is_asked_again_when_it_says() {
    let draining = answer(
        "503 Draining",
        &format!("{NAMED}retry-after: 1\r\n"),
        r#"{"code":"unavailable","effect":"none"}"#,
    );
    let peer = Peer::start(vec![Then::Say(draining), success()]).await;
    let begun = tokio::time::Instant::now();
    input(&peer, &Call::default()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(peer.requests().len(), 2);
}

#[tokio::test]
async fn a_wait_that_would_end_too_late_is_not_waited() {
    let overloaded = answer("503 Busy", "retry-after: 600\r\n", "");
    let peer = Peer::start(vec![Then::Say(overloaded), success()]).await;
    let begun = tokio::time::Instant::now();
    let error = input(&peer, &Call::keyed(key())).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(
        row(&error.failure),
        "runtime_unavailable overloaded unknown"
    );
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_nothing() {
    // Answers once per connection and closes, without saying so beforehand.
    let body = serde_json::to_string(&accepted()).unwrap();
    let text = format!(
        "HTTP/1.1 202 Accepted\r\n{NAMED}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let peer = Peer::start(vec![Then::Say(text.into_bytes())]).await;
    let workers = workers(link(&peer.url()));
    for _ in 0..20 {
        let answer = workers
            .input(&worker_id(), &InputRequest::new("hi"), &Call::default())
            .await;
        // The close may cross the next request, which is then truly lost: unknown, not repeated.
        if let Err(error) = answer {
            assert_eq!(row(&error.failure), "runtime_unreachable reset unknown");
        }
    }
    assert!(peer.requests().len() <= 20, "something was sent twice");
}

/// The way to a server that is never there.
struct Nobody;

#[async_trait]
impl Transport for Nobody {
    async fn send(&self, _request: Request) -> Result<Response, TransportFault> {
        Err(TransportFault::Refused)
    }

    async fn upgrade(&self, _request: Request) -> Result<Upgrade, TransportFault> {
        Err(TransportFault::Refused)
    }
}

fn of_nobody(budget: RetryBudget) -> Workers {
    let retry = RetryPolicy { budget, ..quick(3) };
    let builder = link("http://nowhere.invalid").retry(retry);
    workers(builder.transport(Arc::new(Nobody)))
}

/// To how many requests each of so many calls came, one after another.
async fn attempts(workers: &Workers, calls: usize) -> Vec<u32> {
    let mut attempts = Vec::new();
    for _ in 0..calls {
        let call = workers.get(&worker_id(), &Call::default()).await;
        attempts.push(call.unwrap_err().attempts);
    }
    attempts
}

#[tokio::test]
async fn what_is_sent_again_is_a_part_of_what_is_sent() {
    let none = RetryBudget {
        percent: 0,
        per_second: 0,
    };
    let nothing = of_nobody(none);
    assert_eq!(attempts(&nothing, 3).await, [1, 1, 1]);
    for (percent, expected) in [(50, [1, 2, 1, 2, 1, 2]), (70, [1, 2, 2, 1, 2, 2])] {
        let part = of_nobody(RetryBudget { percent, ..none });
        assert_eq!(attempts(&part, 6).await, expected, "{percent} %");
    }
    let all = of_nobody(RetryBudget {
        percent: 200,
        ..none
    });
    assert_eq!(attempts(&all, 3).await, [3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_sent_again_comes_back_with_time() {
    let client = of_nobody(RetryBudget {
        percent: 0,
        per_second: 1,
    });
    // Ten at the beginning, two after two seconds, and never more than ten.
    for (seconds, there) in [(2, 10), (3_600, 2), (0, 10)] {
        let sent: u32 = attempts(&client, 20).await.iter().sum();
        assert_eq!(sent, 20 + there);
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }
}
