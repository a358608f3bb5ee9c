//! What stands round every route.

use http::StatusCode;
use yoi_http_kit::edge;
use yoi_protocol::{Code, Effect, Origin};

use crate::support::{Place, ask, edged, get, post, settings};

#[tokio::test]
async fn every_answer_names_its_request_and_its_source() {
    let router = edged(|_| {});
    for path in ["/notes/w-1", "/nowhere", "/healthz", "/notes/NOT-AN-ID"] {
        let answer = get(&router, path, &[("x-request-id", "mine-1")]).await;
        assert_eq!(answer.header("x-request-id"), "mine-1", "{path}");
        assert_eq!(answer.header("yoi-runtime-id"), "rt-1", "{path}");
        assert_eq!(answer.header("yoi-boot-id"), "boot-1", "{path}");
    }
}

#[tokio::test]
async fn a_request_id_that_is_not_well_formed_is_replaced() {
    let router = edged(|_| {});
    let long = "x".repeat(129);
    for bad in ["", "with space", "a/b", long.as_str()] {
        let answer = get(&router, "/notes/w-1", &[("x-request-id", bad)]).await;
        let minted = answer.header("x-request-id").to_owned();
        assert!(minted.starts_with("req-"), "{bad:?} gave {minted:?}");
        let twin = get(&router, "/notes/w-1", &[]).await;
        assert_ne!(twin.header("x-request-id"), minted);
    }
    let twice = [("x-request-id", "one"), ("x-request-id", "two")];
    let answer = get(&router, "/notes/w-1", &twice).await;
    assert!(answer.header("x-request-id").starts_with("req-"));
}

#[tokio::test]
async fn a_problem_names_its_subject_and_an_effect_only_for_commands() {
    let router = edged(|_| {});
    let read = get(&router, "/notes/w-1/nothing", &[]).await.problem();
    assert_eq!(read.code, Code::RouteNotFound);
    assert_eq!(read.origin, Origin::Runtime);
    assert_eq!(read.runtime_id.unwrap().as_str(), "rt-1");
    assert_eq!(read.effect, None);

    let command = post(&router, "/notes/w-1", "{").await.problem();
    assert_eq!(command.code, Code::InvalidRequest);
    assert_eq!(command.worker_id.unwrap().as_str(), "w-1");
    assert_eq!(command.effect, Some(Effect::None));

    let unknown = post(&router, "/fail", "").await.problem();
    assert_eq!(unknown.effect, Some(Effect::Unknown));
}

#[tokio::test]
async fn retry_after_goes_with_its_header() {
    let answer = post(&edged(|_| {}), "/fail", "").await;
    assert_eq!(answer.problem().details.retry_after_ms, Some(1_500));
    assert_eq!(answer.header("retry-after"), "2");
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems() {
    let router = edged(|_| {});
    let missing = get(&router, "/nowhere", &[]).await;
    assert_eq!(missing.problem().code, Code::RouteNotFound);

    let wrong = ask(&router, "DELETE", "/notes/w-1", &[], "").await;
    assert_eq!(wrong.problem().code, Code::MethodNotAllowed);
    let mut allowed: Vec<_> = wrong.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_panic_is_internal_with_an_unknown_effect_and_its_words_stay_inside() {
    let answer = post(&edged(|_| {}), "/panic", "").await;
    let problem = answer.problem();
    assert_eq!(problem.code, Code::Internal);
    assert_eq!(problem.effect, Some(Effect::Unknown));
    assert!(!answer.text().contains("paper"), "{}", answer.text());
}

#[tokio::test]
async fn a_status_that_no_code_has_never_leaves() {
    let answer = get(&edged(|_| {}), "/teapot", &[]).await;
    assert_eq!(answer.problem().code, Code::Internal);
}

#[tokio::test]
async fn a_request_for_another_runtime_is_misdirected_before_anything_is_done() {
    let router = edged(|_| {});
    let meant = get(&router, "/notes/w-1", &[("yoi-runtime-id", "rt-1")]).await;
    assert_eq!(meant.status, StatusCode::OK);
    for headers in [
        vec![("yoi-runtime-id", "rt-2")],
        vec![("yoi-runtime-id", "")],
        vec![("yoi-runtime-id", "rt-1"), ("yoi-runtime-id", "rt-2")],
    ] {
        // The route would panic if it were reached.
        let answer = ask(&router, "POST", "/panic", &headers, "").await;
        let problem = answer.problem();
        assert_eq!(problem.code, Code::MisdirectedRequest, "{headers:?}");
        assert_eq!(problem.effect, Some(Effect::None));
    }
}

#[tokio::test]
async fn requests_over_the_limit_are_told_which_limit() {
    let place = Place::default();
    let mut settings = settings();
    settings.max_requests = 1;
    let router = edge(place.routes(), settings);
    let first = tokio::spawn({
        let router = router.clone();
        async move { get(&router, "/hold", &[]).await }
    });
    place.entered.notified().await;

    let refused = get(&router, "/notes/w-1", &[]).await;
    let problem = refused.problem();
    assert_eq!(problem.code, Code::LimitReached);
    assert_eq!(problem.details.limit.as_deref(), Some("max_requests"));
    assert!(!refused.header("retry-after").is_empty());
    let health = get(&router, "/healthz", &[]).await;
    assert_eq!(
        health.status,
        StatusCode::OK,
        "health is asked under load, too"
    );

    place.release.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(get(&router, "/notes/w-1", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn readiness_is_a_problem_while_the_server_cannot_serve() {
    let router = edged(|_| {});
    assert_eq!(get(&router, "/healthz", &[]).await.status, StatusCode::OK);
    let ready = get(&router, "/readyz", &[]).await;
    assert_eq!(ready.problem().code, Code::Unavailable);
    let metrics = get(&router, "/metrics", &[]).await;
    assert_eq!(metrics.text(), "# none\n");
    assert!(metrics.header("content-type").starts_with("text/plain"));
}
