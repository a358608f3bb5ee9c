//! Each limit is met, and named.

use yoi_protocol::{Code, Effect};

use crate::support::{Answer, Served};

fn assert_limit(answer: &Answer, name: &str) {
    let problem = answer.problem(Code::LimitReached);
    assert_eq!(problem.details.limit.as_deref(), Some(name));
}

#[tokio::test]
async fn bodies_and_inputs() {
    let served = Served::with(|setup| {
        setup.limits.max_body_bytes = 4096;
        setup.limits.max_input_bytes = 100;
    })
    .await;
    served.worker("w-1", "echo").await;
    let content = |length: usize| format!(r#"{{"content":"{}"}}"#, "x".repeat(length));
    for (length, limit) in [(101, 100), (5_000, 4096), (300_000, 4096)] {
        let answer = served.post("/v1/workers/w-1/input", &content(length)).await;
        let problem = answer.problem(Code::PayloadTooLarge);
        assert_eq!(problem.details.limit_bytes, Some(limit), "{length}");
        assert_eq!(problem.effect, Some(Effect::None));
    }
    served
        .post("/v1/workers/w-1/input", &content(100))
        .await
        .value(202);
}

#[tokio::test]
async fn workers() {
    let served = Served::with(|setup| setup.limits.max_workers = 1).await;
    served.worker("w-1", "echo").await;
    assert_limit(&served.post("/v1/workers", "{}").await, "max_workers");
}

#[tokio::test]
async fn runs() {
    let served = Served::with(|setup| setup.limits.max_runs = 1).await;
    served.worker("w-1", "held").await;
    served.worker("w-2", "held").await;
    served.input("w-1").await;
    let refused = served
        .post("/v1/workers/w-2/input", r#"{"content":"x"}"#)
        .await;
    assert_limit(&refused, "max_runs");
    served.hold.release();
}

#[tokio::test]
async fn streams() {
    let served = Served::with(|setup| setup.limits.max_streams = 1).await;
    served.worker("w-1", "echo").await;
    let open = served
        .send("GET", "/v1/workers/w-1/events", &[], None)
        .await;
    assert_eq!(open.status().as_u16(), 200);
    assert_limit(&served.get("/v1/workers/w-1/events").await, "max_streams");
}

#[tokio::test]
async fn requests() {
    let served = Served::with(|setup| setup.limits.max_requests = 1).await;
    served.worker("w-1", "held").await;
    served.input("w-1").await;
    let waiting = served.ask("POST", "/v1/workers/w-1/cancel", &[], Some("{}"));
    let meanwhile = async {
        served.hold.told().await;
        let refused = served.get("/v1/workers").await;
        assert_limit(&refused, "max_requests");
        assert!(!refused.header("retry-after").is_empty());
        assert_eq!(served.get("/readyz").await.status.as_u16(), 200);
        served.hold.release();
    };
    let (cancelled, ()) = tokio::join!(waiting, meanwhile);
    cancelled.value(200);
}

#[tokio::test]
async fn idempotency_keys() {
    let served = Served::with(|setup| setup.limits.max_idempotency_keys = 1).await;
    let keyed = async |key| {
        served
            .ask(
                "POST",
                "/v1/workers",
                &[("idempotency-key", key)],
                Some("{}"),
            )
            .await
    };
    keyed("one").await.value(201);
    assert_limit(&keyed("two").await, "max_idempotency_keys");
    assert_eq!(keyed("one").await.header("idempotency-replayed"), "true");
}
