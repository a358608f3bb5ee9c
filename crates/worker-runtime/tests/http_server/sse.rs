//! Events as a browserless reader sees them.

use futures_util::StreamExt;
use serde_json::Value;
use yoi_protocol::Code;

use crate::support::{Served, WAIT};

/// One event of a stream.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: Option<String>,
    pub(crate) frame: Value,
}

impl Seen {
    /// What it tells of: the type of the event, delta or control, or the code of a diagnostic.
    pub(crate) fn what(&self) -> String {
        let kind = self.frame["kind"].as_str().unwrap();
        let key = if kind == "diagnostic" { "code" } else { "type" };
        self.frame[kind][key].as_str().unwrap().to_owned()
    }
}

/// A stream that is being read.
pub(crate) struct Reading {
    response: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>>>>,
    buffer: String,
}

impl Reading {
    pub(crate) async fn open(served: &Served, path: &str, headers: &[(&str, &str)]) -> Self {
        let response = served.send("GET", path, headers, None).await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self {
            response: Box::pin(response.bytes_stream()),
            buffer: String::new(),
        }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let seen = parse(event);
                self.buffer = rest.to_owned();
                match seen {
                    Some(seen) => return Some(seen),
                    None => continue,
                }
            }
            let more = tokio::time::timeout(WAIT, self.response.next()).await;
            let chunk = more.expect("something should have come")?.unwrap();
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// All events up to the first that tells of `what`.
    pub(crate) async fn until(&mut self, what: &str) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            let Some(seen) = self.next().await else {
                panic!("the stream ended before {what}, with {all:?}");
            };
            all.push(seen);
            if all.last().unwrap().what() == what {
                return all;
            }
        }
    }
}

fn parse(event: &str) -> Option<Seen> {
    let mut id = None;
    let mut data = None;
    for line in event.lines() {
        if let Some(text) = line.strip_prefix("id: ") {
            id = Some(text.to_owned());
        } else if let Some(text) = line.strip_prefix("data: ") {
            assert!(data.is_none(), "one data line per frame: {event}");
            data = Some(serde_json::from_str(text).unwrap());
        } else {
            assert!(line.starts_with(':'), "{line}");
        }
    }
    data.map(|frame| Seen { id, frame })
}

fn names(seen: &[Seen]) -> Vec<String> {
    seen.iter()
        .map(Seen::what)
        .filter(|what| what != "text")
        .collect()
}

#[tokio::test]
async fn a_reader_sees_a_worker_from_snapshot_to_stop_and_then_204() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    let mut reading = Reading::open(&served, "/v1/workers/w-1/events", &[]).await;
    assert_eq!(
        names(&reading.until("caught_up").await),
        ["snapshot", "caught_up"]
    );

    let accepted = served
        .post("/v1/workers/w-1/input", r#"{"content":"hi"}"#)
        .await
        .value(202);
    let mut run = reading.until("run_finished").await;
    run.extend(reading.until("status_changed").await);
    assert_eq!(
        names(&run),
        [
            "input_accepted",
            "run_started",
            "status_changed",
            "entry_appended",
            "run_finished",
            "status_changed"
        ]
    );
    assert_eq!(run[0].frame["cursor"], accepted["cursor"]);
    for seen in &run {
        assert_eq!(
            seen.id.as_deref(),
            seen.frame["cursor"].as_str(),
            "{seen:?}"
        );
    }

    served.post("/v1/workers/w-1/stop", "{}").await.value(200);
    let end = reading.until("worker_stopped").await;
    assert_eq!(names(&end), ["status_changed", "worker_stopped"]);
    assert!(reading.next().await.is_none(), "nothing can follow");

    // The last cursor by header wins over an older one in the address.
    let last = end.last().unwrap().id.clone().unwrap();
    let old = accepted["cursor"].as_str().unwrap();
    let path = format!("/v1/workers/w-1/events?cursor={old}");
    let again = served
        .ask("GET", &path, &[("last-event-id", &last)], None)
        .await;
    assert_eq!(again.status.as_u16(), 204, "{again:?}");
    assert_eq!(again.body, "");

    let mut resumed = Reading::open(&served, &path, &[]).await;
    let missed = resumed.until("worker_stopped").await;
    assert_eq!(missed[0].what(), "run_started", "all that the input led to");
    assert_eq!(resumed.next().await.unwrap().what(), "caught_up");
    assert!(resumed.next().await.is_none());
}

#[tokio::test]
async fn a_header_that_is_no_cursor_is_told_before_the_stream() {
    let served = Served::start().await;
    served.worker("w-1", "echo").await;
    let headers = [("last-event-id", "forged")];
    let answer = served
        .ask("GET", "/v1/workers/w-1/events", &headers, None)
        .await;
    answer.problem(Code::CursorInvalid);
}
