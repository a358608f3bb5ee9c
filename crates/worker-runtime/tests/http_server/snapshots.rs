//! The Runtime API as its clients rely on it, to the byte: it changes here, or not at all.

use std::sync::Arc;

use crate::answers::{Book, assert_kept};
use crate::support::repeatable;

#[tokio::test]
async fn a_walk_over_every_route() {
    let served = repeatable(|setup| {
        setup.limits.max_workers = 2;
        setup.limits.max_input_bytes = 32;
        setup.settings.metrics = Arc::new(|| "yoi_workers{status=\"idle\"} 1\n".to_owned());
    })
    .await;
    let mut book = Book::default();
    macro_rules! step {
        ($cause:literal, $method:literal $path:expr) => {
            step!($cause, $method $path, [], None)
        };
        ($cause:literal, $method:literal $path:expr, $body:expr) => {
            step!($cause, $method $path, [], Some($body))
        };
        ($cause:literal, $method:literal $path:expr, $headers:expr, $body:expr) => {
            served
                .keep(&mut book, $cause, ($method, $path), &$headers, $body)
                .await
        };
    }
    const W1: &str = "/v1/workers/w-1";
    const INPUT: &str = "/v1/workers/w-1/input";
    const CANCEL: &str = "/v1/workers/w-1/cancel";
    const STOP: &str = "/v1/workers/w-1/stop";
    let create = r#"{"worker_id":"w-1","display_name":"One","profile":"held",
        "intent":{"kind":"task","of":"tests"},"labels":{"team":"a"}}"#;
    let hello = r#"{"content":"hello"}"#;
    let key = [("idempotency-key", "k-1")];

    step!("healthz", "GET" "/healthz");
    step!("readyz", "GET" "/readyz");
    step!("metrics", "GET" "/metrics");
    step!("openapi", "GET" "/v1/openapi.json");
    step!("runtime", "GET" "/v1/runtime");
    step!("no_workers", "GET" "/v1/workers");

    step!("create", "POST" "/v1/workers", key, Some(create));
    step!("create_replayed", "POST" "/v1/workers", key, Some(create));
    step!("create_taken", "POST" "/v1/workers", create);
    step!("create_default", "POST" "/v1/workers", "{}");
    step!("create_over_the_limit", "POST" "/v1/workers", "{}");
    let faults = r#"{"display_name":"","profile":"","labels":{"":""}}"#;
    step!("create_invalid", "POST" "/v1/workers", faults);
    step!("create_unknown_profile", "POST" "/v1/workers", r#"{"profile":"x"}"#);
    let bundle = r#"{"config_bundle":{"id":"b","digest":"d"}}"#;
    step!("create_unsupported", "POST" "/v1/workers", bundle);
    step!("list_page", "GET" "/v1/workers?limit=1");
    step!("list_of_a_status", "GET" "/v1/workers?status=stopped");
    step!("list_bad_page", "GET" "/v1/workers?page=x");
    step!("list_bad_limit", "GET" "/v1/workers?limit=1001");
    step!("list_bad_status", "GET" "/v1/workers?status=asleep");

    step!("input", "POST" INPUT, hello);
    step!("input_busy", "POST" INPUT, hello);
    step!("worker_running", "GET" W1);
    step!("cancel_another_run", "POST" CANCEL, r#"{"run_id":"run-other"}"#);
    served.hold.release();
    served.until_idle("w-1").await;
    step!("worker_idle", "GET" W1);
    step!("transcript", "GET" "/v1/workers/w-1/transcript");
    step!("transcript_page", "GET" "/v1/workers/w-1/transcript?limit=1");
    step!("transcript_past_the_end", "GET" "/v1/workers/w-1/transcript?after=9");
    step!("transcript_bad_after", "GET" "/v1/workers/w-1/transcript?after=-1");
    step!("input_invalid", "POST" INPUT, "{}");
    let long = format!(r#"{{"content":"{}"}}"#, "x".repeat(33));
    step!("input_too_large", "POST" INPUT, &long);
    step!("cancel_idle", "POST" CANCEL);

    let again = step!("input_again", "POST" INPUT, hello).value(202);
    let cancelling = async {
        served.hold.told().await;
        served.hold.release();
    };
    let cancel = async { step!("cancel", "POST" CANCEL, r#"{"reason":"enough"}"#) };
    tokio::join!(cancel, cancelling);
    step!("stop", "POST" STOP, r#"{"reason":"done"}"#);
    step!("stop_again", "POST" STOP);
    step!("cancel_stopped", "POST" CANCEL);
    step!("input_stopped", "POST" INPUT, hello);

    let events = step!("events_of_a_stopped_worker", "GET" "/v1/workers/w-1/events");
    let cursor = again["cursor"].as_str().unwrap();
    let resumed = format!("/v1/workers/w-1/events?cursor={cursor}");
    step!("events_resumed", "GET" & resumed);
    let last = events
        .body
        .lines()
        .find_map(|line| line.strip_prefix("id: "));
    let last = [("last-event-id", last.unwrap())];
    step!("events_all_seen", "GET" "/v1/workers/w-1/events", last, None);

    step!("no_such_route", "GET" "/v1/nothing");
    step!("wrong_method", "PUT" "/v1/workers");
    assert_kept!("runtime_answers", book);
}

#[test]
fn the_openapi_document() {
    assert_kept!("runtime_openapi", worker_runtime::http::document());
}
