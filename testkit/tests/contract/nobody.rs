//! Where there is nothing to check.

use yoi_protocol::{Code, Reason};
use yoi_testkit::contract::{CheckError, Target, check};

use crate::lasting::runtime;

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
