//! What extractors refuse, and how they name it.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use futures_util::stream;
use serde_json::{Value, json};
use yoi_protocol::Code;

use crate::support::{ask, edged, get, post};

/// The code and the pointer of the one field at fault.
async fn fault(body: &str) -> (Code, String) {
    let problem = post(&edged(|_| {}), "/notes/w-1", body).await.problem();
    let pointers: Vec<_> = problem
        .details
        .errors
        .iter()
        .map(|e| e.pointer.clone())
        .collect();
    (problem.code, pointers.join(" "))
}

#[tokio::test]
async fn a_field_at_fault_is_named_by_its_pointer() {
    for (body, pointer) in [
        ("", ""),
        ("{", ""),
        ("[]x", ""),
        (r#"{"text":"a"} {}"#, ""),
        ("7", ""),
        ("[]", ""),
        (r#" ["text"]"#, ""),
        (r#"{"text":7}"#, "/text"),
        (r#"{"text":"a","text":"b"}"#, "/text"),
        (r#"{"tags":{}}"#, "/tags"),
        (r#"{"tags":[{"name":"a"},{}]}"#, "/tags/1/name"),
        (r#"{"tags":[{"name":"a","a/b":300}]}"#, "/tags/0/a~1b"),
        ("{\"text\":\"\u{0}\"}", ""),
    ] {
        let (code, found) = fault(body).await;
        assert_eq!(code, Code::InvalidRequest, "{body}");
        assert_eq!(found, pointer, "{body}");
    }
}

#[tokio::test]
async fn fields_that_are_not_known_are_ignored() {
    let body = r#"{"text":"a","path":"/etc","socket":{"x":1},"session":[]}"#;
    let answer = post(&edged(|_| {}), "/notes/w-1", body).await;
    assert_eq!(answer.status.as_u16(), 201);
}

#[tokio::test]
async fn a_message_is_bounded_and_without_control_characters() {
    let body = format!(r#"{{"mood":"{}"}}"#, "\\u0007xx".repeat(110));
    let problem = post(&edged(|_| {}), "/notes/w-1", &body).await.problem();
    assert_eq!(problem.details.errors[0].pointer, "/mood");
    let message = &problem.details.errors[0].message;
    assert!(message.contains("xxx"), "it quotes the value: {message}");
    assert_eq!(message.chars().count(), 200, "{message}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
}

#[tokio::test]
async fn only_json_is_taken() {
    let router = edged(|_| {});
    for (kind, expected) in [
        ("application/json", None),
        ("Application/JSON; charset=UTF-8", None),
        ("application/merge-patch+json", None),
        (
            "application/json; charset=latin1",
            Some(Code::UnsupportedMediaType),
        ),
        ("text/plain", Some(Code::UnsupportedMediaType)),
        (
            "application/x-www-form-urlencoded",
            Some(Code::UnsupportedMediaType),
        ),
        (
            "multipart/form-data; boundary=json",
            Some(Code::UnsupportedMediaType),
        ),
        ("", Some(Code::UnsupportedMediaType)),
    ] {
        let headers = [("content-type", kind)];
        let answer = ask(&router, "POST", "/notes/w-1", &headers, "{}").await;
        let code = (!answer.status.is_success()).then(|| answer.problem().code);
        assert_eq!(code, expected, "{kind:?}");
    }
    let none = ask(&router, "POST", "/notes/w-1", &[], "{}").await;
    assert_eq!(none.problem().code, Code::UnsupportedMediaType);
}

#[tokio::test]
async fn an_optional_body_may_be_missing_or_null() {
    let router = edged(|_| {});
    let clear = "/notes/w-1/clear";
    let empty = json!({ "text": "", "tags": [] });
    let bare = ask(&router, "POST", clear, &[], "").await;
    assert_eq!(serde_json::from_slice::<Value>(&bare.body).unwrap(), empty);
    let null = post(&router, clear, "null").await;
    assert_eq!(serde_json::from_slice::<Value>(&null.body).unwrap(), empty);
    let given = post(&router, clear, r#"{"text":"x"}"#).await;
    assert!(given.text().contains(r#""text":"x""#));
    let wrong = post(&router, clear, r#"{"text":1}"#).await.problem();
    assert_eq!(wrong.details.errors[0].pointer, "/text");
    let untyped = ask(&router, "POST", clear, &[], "{}").await;
    assert_eq!(untyped.problem().code, Code::UnsupportedMediaType);
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_declared_or_not() {
    let router = edged(|_| {});
    let exactly = format!(r#"{{"text":"{}"}}"#, "x".repeat(1024 - 11));
    assert_eq!(exactly.len(), 1024);
    assert_eq!(
        post(&router, "/notes/w-1", &exactly).await.status.as_u16(),
        201
    );
    let over = format!("{exactly} ");
    let chunks = over.clone().into_bytes();
    let streamed = Body::from_stream(stream::iter(
        chunks
            .chunks(100)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    ));
    for body in [Body::from(over), streamed] {
        let headers = [("content-type", "application/json")];
        let problem = ask(&router, "POST", "/notes/w-1", &headers, body)
            .await
            .problem();
        assert_eq!(problem.code, Code::PayloadTooLarge);
        assert_eq!(problem.details.limit_bytes, Some(1024));
    }
}

/// A body that says how long it is, and never comes.
struct Announced(u64);

impl http_body::Body for Announced {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_announced_over_the_limit_is_refused_without_being_sent() {
    let json = ("content-type", "application/json");
    let began = tokio::time::Instant::now();
    let asking = [json, ("expect", "100-continue")];
    for (headers, patience) in [(&asking[..], 0), (&asking[..1], 1)] {
        let body = Body::new(Announced(1025));
        let answer = ask(&edged(|_| {}), "POST", "/notes/w-1", headers, body).await;
        assert_eq!(answer.problem().code, Code::PayloadTooLarge);
        assert_eq!(began.elapsed().as_secs(), patience);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_timed_out() {
    let headers = [("content-type", "application/json")];
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer = ask(&edged(|_| {}), "POST", "/notes/w-1", &headers, body).await;
    assert_eq!(answer.problem().code, Code::TimedOut);
}

#[tokio::test]
async fn a_parameter_at_fault_is_named() {
    let router = edged(|_| {});
    assert_eq!(get(&router, "/page?limit=7&other=x", &[]).await.text(), "7");
    assert_eq!(get(&router, "/page", &[]).await.text(), "null");
    for query in [
        "limit=x",
        "limit=-1",
        "limit=",
        "limit=1&limit=2",
        "limit=99999999999999999999",
    ] {
        let problem = get(&router, &format!("/page?{query}"), &[]).await.problem();
        assert_eq!(problem.code, Code::InvalidRequest, "{query}");
        assert_eq!(problem.details.errors[0].pointer, "/limit", "{query}");
    }
}

#[tokio::test]
async fn an_id_that_none_could_have_is_not_found() {
    let router = edged(|_| {});
    for id in ["NOPE", "-x", "%2e%2e%2fetc", "a%00", "%ff", &"x".repeat(65)] {
        let problem = get(&router, &format!("/notes/{id}"), &[]).await.problem();
        assert_eq!(problem.code, Code::WorkerNotFound, "{id}");
        assert_eq!(problem.worker_id, None);
    }
}

async fn caller(name: &str, value: &str) -> Result<Value, String> {
    let answer = get(&edged(|_| {}), "/caller", &[(name, value)]).await;
    if answer.status.is_success() {
        return Ok(serde_json::from_slice(&answer.body).unwrap());
    }
    let problem = answer.problem();
    assert_eq!(problem.code, Code::InvalidRequest);
    Err(problem.details.errors[0].pointer.clone())
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_a_whole_number_of_milliseconds() {
    for (text, left) in [("0", 0), ("1500", 1500), ("86400000", 86_400_000)] {
        assert_eq!(
            caller("yoi-deadline-ms", text).await.unwrap()["left_ms"],
            left
        );
    }
    for far in ["86400001", "99999999999999999999999999"] {
        assert_eq!(
            caller("yoi-deadline-ms", far).await.unwrap()["left_ms"],
            Value::Null
        );
    }
    for bad in ["", "-1", "1.5", "+1", "soon", "1 "] {
        let pointer = caller("yoi-deadline-ms", bad).await;
        // A header loses the blanks round it on its way.
        if bad.trim() == bad {
            assert_eq!(pointer.unwrap_err(), "/yoi-deadline-ms", "{bad:?}");
        }
    }
}

#[tokio::test]
async fn an_idempotency_key_is_visible_ascii() {
    let longest = "k".repeat(255);
    for good in ["k", "a-b_c:1!", longest.as_str()] {
        assert_eq!(caller("idempotency-key", good).await.unwrap()["key"], good);
    }
    let too_long = "k".repeat(256);
    for bad in ["", "two words", too_long.as_str()] {
        let pointer = caller("idempotency-key", bad).await.unwrap_err();
        assert_eq!(pointer, "/idempotency-key", "{bad:?}");
    }
}

#[tokio::test]
async fn a_trace_is_continued_when_it_is_one() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(
        caller("traceparent", good).await.unwrap()["traceparent"],
        good
    );
    let newer = format!("01{}-more", &good[2..]);
    assert_eq!(
        caller("traceparent", &newer).await.unwrap()["traceparent"],
        newer
    );
    for bad in [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    ] {
        let seen = caller("traceparent", bad).await.unwrap();
        assert_eq!(seen["traceparent"], Value::Null, "{bad:?}");
    }
}
