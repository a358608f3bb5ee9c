//! Where there is nothing to check.

use http::{Method, StatusCode};
use yoi_client::Call;
use yoi_protocol::{Code, ListQuery, Reason, WorkerStatus, WorkerSummary};
use yoi_testkit::contract::{CheckError, Target, check};

use crate::lasting::runtime;
use crate::tampered::Tampered;

#[tokio::test]
async fn nobody_at_the_address_is_no_report() {
    let runtime = runtime("gpu-1").start().await;
    let url = runtime.url();
    runtime.kill().await;
    let error = check(&Target::new(url.clone())).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&url), "{error:?}");
    let CheckError::Unanswered(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.failure.code, Code::RuntimeUnreachable);
    assert_eq!(error.failure.details.reason, Some(Reason::Refused));
}

#[tokio::test]
async fn a_wrong_token_is_no_report() {
    let runtime = runtime("gpu-1").token("open-sesame").start().await;
    let target = Target::new(runtime.url()).token("guessed");
    let Err(CheckError::Unanswered(error)) = check(&target).await else {
        panic!("it was let in");
    };
    assert_eq!(error.failure.code, Code::Unauthorized);
    let target = Target::new(runtime.url()).token("two\nlines");
    assert!(matches!(check(&target).await, Err(CheckError::Token)));
}

#[tokio::test]
async fn an_address_that_is_none_is_no_report() {
    let error = check(&Target::new("ftp://gpu-1")).await.unwrap_err();
    assert!(matches!(error, CheckError::Address(_)), "{error:?}");
}

#[tokio::test]
async fn a_profile_that_is_none_is_no_report() {
    let runtime = runtime("gpu-1").start().await;
    let other = || Target::new(runtime.url());
    for target in [other().profile("nope"), other().long_profile("nope")] {
        let error = check(&target).await.unwrap_err();
        let told = "there is no profile nope: this Runtime has echo, lasting";
        assert_eq!(error.to_string(), told, "{error:?}");
        assert!(matches!(error, CheckError::Profile(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_run_is_no_report() {
    let runtime = runtime("gpu-1").start().await;
    let way = Tampered::requests(|request| {
        if let Some(body) = &request.body {
            let text = String::from_utf8_lossy(body).replace("\"lasting\"", "\"missing\"");
            request.body = Some(text.into());
        }
    });
    let target = Target::new(runtime.url())
        .long_profile("lasting")
        .transport(way);
    let error = check(&target).await.unwrap_err();
    let told = "the profile lasting cannot be run: this Runtime has echo, lasting";
    assert_eq!(error.to_string(), told, "{error:?}");
    let (query, call) = (ListQuery::default(), Call::default());
    let workers = runtime.workers();
    let left = workers.list(&query, &call).await.unwrap().value.workers;
    let is_stopped = |worker: &WorkerSummary| worker.status == WorkerStatus::Stopped;
    assert!(left.iter().all(is_stopped), "{left:?}");
}

#[tokio::test]
async fn one_that_is_draining_is_no_report() {
    let runtime = runtime("gpu-1").start().await;
    let way = Tampered::both(
        |request| {
            if request.method == Method::POST {
                request.body = Some("{".into());
            }
        },
        |answer| {
            if answer.response.status == StatusCode::BAD_REQUEST {
                answer.response.status = StatusCode::SERVICE_UNAVAILABLE;
                let text = String::from_utf8_lossy(&answer.body).replace("400", "503");
                answer.body = text.replace("invalid_request", "unavailable").into_bytes();
            }
        },
    );
    let error = check(&Target::new(runtime.url()).transport(way))
        .await
        .unwrap_err();
    assert!(matches!(error, CheckError::Draining), "{error:?}");
}

#[tokio::test]
async fn where_no_runtime_answers_is_no_report() {
    let runtime = runtime("gpu-1").start().await;
    let target = Target::new(format!("{}/v1", runtime.url()));
    let error = check(&target).await.unwrap_err();
    let told = "no Runtime answers here: give the Runtime's base URL, without a path like /v1";
    assert_eq!(error.to_string(), told, "{error:?}");
}
