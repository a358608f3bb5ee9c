//! What observers are sent, to the byte, and how each stream ends.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::answers::{Book, Told, assert_kept};
use crate::client::Observer;
use crate::support::{Served, repeatable};

const EVENTS: &str = "/v1/workers/w-1/events/ws";

async fn observed() -> (Served, Observer, Vec<Value>) {
    let served = repeatable(|_| {}).await;
    served.worker("w-1", "held").await;
    let mut observer = Observer::connect(&served, EVENTS, &[]).await.unwrap();
    let seen = observer.until("caught_up").await;
    (served, observer, seen)
}

/// Keeps all that was seen, and what comes until the close.
async fn keep(
    book: &mut Book,
    cause: &str,
    path: &str,
    mut seen: Vec<Value>,
    mut observer: Observer,
) {
    let close = loop {
        match observer.next().await {
            Ok(frame) => seen.push(frame),
            Err(close) => break close.expect("the server says why it closes"),
        }
    };
    book.tell(cause, format!("GET {path}"), Told::stream(seen, close));
}

#[tokio::test]
async fn streams_and_how_they_end() {
    let mut book = Book::default();
    let (served, mut observer, mut seen) = observed().await;
    let accepted = served.post("/v1/workers/w-1/input", r#"{"content":"hi"}"#);
    let accepted = accepted.await.value(202);
    seen.extend(observer.until("status_changed").await);
    let spoken = observer.next().await.unwrap();
    assert_eq!(spoken["kind"], "delta", "{spoken}");
    seen.push(spoken);
    // Who comes in the middle of a run is told what it has said.
    let mut late = Observer::connect(&served, EVENTS, &[]).await.unwrap();
    let late_seen = late.until("caught_up").await;
    served.hold.release();
    seen.extend(observer.until("run_finished").await);
    let stop = served.post("/v1/workers/w-1/stop", r#"{"reason":"done"}"#);
    stop.await.value(200);
    keep(&mut book, "a_worker_to_its_end", EVENTS, seen, observer).await;
    keep(&mut book, "in_the_middle_of_a_run", EVENTS, late_seen, late).await;
    let path = format!("{EVENTS}?cursor={}", accepted["cursor"].as_str().unwrap());
    let resumed = Observer::connect(&served, &path, &[]).await.unwrap();
    keep(&mut book, "resumed", &path, Vec::new(), resumed).await;

    let (_served, mut observer, seen) = observed().await;
    observer.say(Message::text("do this")).await;
    keep(&mut book, "an_observer_that_speaks", EVENTS, seen, observer).await;

    let (served, observer, seen) = observed().await;
    served.shut_down();
    keep(&mut book, "a_server_that_ends", EVENTS, seen, observer).await;
    assert_kept!("runtime_streams", book);
}
