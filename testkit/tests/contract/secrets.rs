//! A report shows neither address nor token, whatever a Runtime says.

use http::HeaderValue;
use yoi_testkit::contract::{Target, check};

use crate::lasting::runtime;
use crate::tampered::Tampered;

#[tokio::test]
async fn what_a_stranger_says_is_repeated_without_them() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let (url, authority) = (runtime.url(), runtime.url().replace("http://", ""));
    let said = format!("{{\"a\":\"asked {url} ({authority}) with open-sesame\"}}");
    let way = Tampered::answers(move |answer| {
        if answer.path != "/v1/runtime" {
            answer.body = said.clone().into_bytes();
        }
    });
    let target = Target::new(&url).token("open-sesame").transport(way);
    let report = check(&target).await.unwrap();
    let shown = serde_json::to_string(&report).unwrap();
    for secret in [&*url, &authority, "open-sesame"] {
        assert!(!shown.contains(secret), "{secret} in {report:#?}");
    }
    assert!(
        shown.contains("asked <url> (<address>) with <token>"),
        "{report:#?}"
    );
}

#[tokio::test]
async fn what_it_says_that_it_is_as_well() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let url = runtime.url();
    let store = format!("\"store\":\"{url} open-sesame\"");
    let way = Tampered::answers(move |answer| {
        if answer.path == "/v1/runtime" {
            let text = String::from_utf8_lossy(&answer.body);
            answer.body = text.replace("\"store\":\"test\"", &store).into_bytes();
        }
    });
    let target = Target::new(&url).token("open-sesame").transport(way);
    let report = check(&target).await.unwrap();
    assert_eq!(report.runtime.unwrap().store, "<url> <token>");
}

#[tokio::test]
async fn a_refusal_to_be_asked_is_repeated_without_them() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let url = runtime.url();
    let seen = url.clone();
    let way = Tampered::answers(move |answer| {
        let mut problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        problem["detail"] = format!("{seen} does not know open-sesame2").into();
        answer.body = problem.to_string().into_bytes();
    });
    let target = Target::new(&url).token("open-sesame2").transport(way);
    let error = check(&target).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("sesame") && !shown.contains(&url),
        "{shown}"
    );
}

#[tokio::test]
async fn a_token_is_not_sent_in_the_clear_to_elsewhere() {
    let far = || Target::new("http://192.0.2.1:9").token("open-sesame");
    let error = check(&far()).await.unwrap_err();
    assert!(
        error.to_string().contains("everyone on the way can read"),
        "{error}"
    );
    // Allowed, or without a token, it is asked: here by a way that answers for it.
    let here = runtime("gpu-1").start().await;
    let authority: http::uri::Authority = here.url().replace("http://", "").parse().unwrap();
    for target in [far().allow_plain_http(), Target::new("http://192.0.2.1:9")] {
        let authority = authority.clone();
        let way = Tampered::requests(move |request| {
            let mut parts = request.uri.clone().into_parts();
            parts.authority = Some(authority.clone());
            request.uri = parts.try_into().unwrap();
            let host = HeaderValue::from_str(authority.as_str()).unwrap();
            request.headers.insert("host", host);
        });
        let report = check(&target.transport(way)).await.unwrap();
        assert!(report.passed > 50, "{report:#?}");
    }
}
