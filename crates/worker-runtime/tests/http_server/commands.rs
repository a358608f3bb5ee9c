//! Idempotency keys, and commands whose caller hangs up.

use yoi_protocol::{Code, Effect};

use crate::support::{Answer, Served, WAIT};

async fn keyed(served: &Served, path: &str, key: &str, body: &str) -> Answer {
    served
        .ask("POST", path, &[("idempotency-key", key)], Some(body))
        .await
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again() {
    let served = Served::start().await;
    for (path, body, status) in [
        (
            "/v1/workers",
            r#"{"worker_id":"w-1","profile":"held"}"#,
            201,
        ),
        ("/v1/workers/w-1/input", r#"{"content":"x"}"#, 202),
        ("/v1/workers/w-1/cancel", "{}", 200),
        ("/v1/workers/w-1/stop", r#"{"reason":"done"}"#, 200),
    ] {
        if path.ends_with("cancel") {
            served.hold.release();
        }
        let first = keyed(&served, path, "k-1", body).await;
        assert_eq!(first.status.as_u16(), status, "{first:?}");
        assert_eq!(first.header("idempotency-replayed"), "");
        // Equal after parsing is the same body.
        let spread = format!(" {body} ");
        let again = keyed(&served, path, "k-1", &spread).await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        assert_eq!(again.status, first.status);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("location"), first.header("location"));
    }
    let transcript = served.get("/v1/workers/w-1/transcript").await.value(200);
    let said = transcript["entries"].as_array().unwrap();
    let from_user = said.iter().filter(|entry| entry["role"] == "user").count();
    assert_eq!(from_user, 1, "the input was applied once");
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict() {
    let served = Served::start().await;
    keyed(&served, "/v1/workers", "k", r#"{"worker_id":"w-1"}"#)
        .await
        .value(201);
    let other = keyed(&served, "/v1/workers", "k", r#"{"worker_id":"w-2"}"#).await;
    let problem = other.problem(Code::IdempotencyConflict);
    assert_eq!(problem.effect, Some(Effect::None));
    served
        .get("/v1/workers/w-2")
        .await
        .problem(Code::WorkerNotFound);
}

#[tokio::test]
async fn a_refused_command_leaves_the_key_free() {
    let served = Served::start().await;
    let refused = keyed(&served, "/v1/workers", "k", r#"{"profile":"none"}"#).await;
    refused.problem(Code::InvalidRequest);
    keyed(&served, "/v1/workers", "k", r#"{"worker_id":"w-1"}"#)
        .await
        .value(201);
}

#[tokio::test]
async fn a_key_that_is_none_is_named() {
    let served = Served::start().await;
    for bad in ["", "two words", &"k".repeat(256)] {
        let answer = keyed(&served, "/v1/workers", bad, "{}").await;
        assert_eq!(answer.pointers(), ["/idempotency-key"], "{bad:?}");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = served.ask("POST", "/v1/workers", &twice, Some("{}")).await;
    assert_eq!(answer.pointers(), ["/idempotency-key"]);
}

#[tokio::test]
async fn a_cancel_is_carried_to_its_end_even_if_the_caller_hangs_up() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    let run = served.input("w-1").await;
    let impatient = served.ask("POST", "/v1/workers/w-1/cancel", &[], Some("{}"));
    let hung_up = tokio::select! {
        _ = impatient => false,
        () = served.hold.told() => true,
    };
    assert!(
        hung_up,
        "the run has not ended yet, so neither has the cancel"
    );
    served.hold.release();
    let deadline = tokio::time::Instant::now() + WAIT;
    loop {
        let worker = served.get("/v1/workers/w-1").await.value(200);
        if worker["status"] == "idle" {
            assert_eq!(worker["last_run"]["run_id"], run);
            assert_eq!(worker["last_run"]["outcome"], "cancelled");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "still {worker}");
    }
}
