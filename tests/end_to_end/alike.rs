//! An embedded and a remote Runtime cannot be told apart by what they answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yoi_testkit::eventually;

use crate::api::{Api, Watch};
use crate::house::House;

const INPUTS: usize = 100;

/// A real program for the Workers of both Runtimes.
const PROFILES: &str = r#"
default_profile = "shout"

[profiles.shout]
executor = "command"
program = "tr"
args = ["a-z", "A-Z"]
"#;

/// What tests wait for in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Milestone {
    CaughtUp,
    RunEnded,
}

/// What an observer adds up from the stream alone.
#[derive(Default)]
struct Observed {
    seq: u64,
    entries: Vec<Value>,
    text: String,
    deltas: usize,
}

impl Observed {
    /// Takes a frame, and says what it marks.
    fn take(&mut self, frame: &Value) -> Option<Milestone> {
        match frame["kind"].as_str() {
            Some("event") => {
                let seq = frame["seq"].as_u64().expect("an event has a seq");
                let event = &frame["event"];
                if event["type"] == "snapshot" {
                    self.seq = seq;
                    return None;
                }
                assert_eq!(seq, self.seq + 1, "no event is missing or comes twice");
                self.seq = seq;
                match event["type"].as_str() {
                    Some("input_accepted") => self.entries.push(event["entry"].clone()),
                    Some("entry_appended") => {
                        assert_eq!(
                            event["entry"]["content"], self.text,
                            "deltas add up to the entry"
                        );
                        self.text.clear();
                        self.entries.push(event["entry"].clone());
                    }
                    Some("run_finished") => {
                        assert_eq!(event["outcome"], "completed");
                        return Some(Milestone::RunEnded);
                    }
                    _ => {}
                }
            }
            Some("delta") => {
                let delta = &frame["delta"];
                assert_eq!(delta["offset"], self.text.len(), "no hole and no overlap");
                self.text
                    .push_str(delta["text"].as_str().expect("a text delta"));
                self.deltas += 1;
            }
            Some("control") if frame["control"]["type"] == "caught_up" => {
                return Some(Milestone::CaughtUp);
            }
            _ => {}
        }
        None
    }
}

async fn until(watch: &mut Watch, observed: &mut Observed, milestone: Milestone) {
    loop {
        let frame = watch
            .next()
            .await
            .expect("the stream goes on while the worker lives");
        if observed.take(&frame) == Some(milestone) {
            return;
        }
    }
}

/// Everything that the Backend answered about one Worker in the course of its life.
async fn life(api: &Api, runtime: &str) -> Vec<(String, u16, Value)> {
    let workers = format!("/api/runtimes/{runtime}/workers");
    let worker = format!("{workers}/w-1");
    let mut answers = Vec::new();

    let (status, body) = api
        .post(
            &workers,
            json!({"worker_id": "w-1", "display_name": "Shouter", "labels": {"a": "b"}}),
        )
        .await;
    assert_eq!(status, 201, "{body}");
    answers.push(("create".to_owned(), status, body));

    let mut watch = api.watch(&format!("{worker}/events")).await;
    let mut observed = Observed::default();
    // Only from here on is every frame one of a run of ours, and not a part of the snapshot.
    until(&mut watch, &mut observed, Milestone::CaughtUp).await;
    for number in 0..INPUTS {
        let (status, body) = api
            .post(
                &format!("{worker}/input"),
                json!({"content": format!("message {number}")}),
            )
            .await;
        assert_eq!(status, 202, "{body}");
        if number == 0 {
            answers.push(("input".to_owned(), status, body));
        }
        until(&mut watch, &mut observed, Milestone::RunEnded).await;
        // The run's end and the worker's return to idle are one commit, so the next input is taken.
    }
    assert!(
        observed.deltas >= INPUTS,
        "output is streamed, not only appended"
    );

    let mut kept = Vec::new();
    let mut after = 0;
    loop {
        let (status, page) = api
            .get(&format!("{worker}/transcript?after={after}&limit=70"))
            .await;
        assert_eq!(status, 200, "{page}");
        kept.extend(page["entries"].as_array().expect("entries").iter().cloned());
        let next = page["next_after"].as_u64();
        answers.push((format!("transcript after {after}"), status, page));
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(kept.len(), 2 * INPUTS);
    assert_eq!(
        observed.entries, kept,
        "the stream adds up to the transcript"
    );
    assert_eq!(kept[199]["content"], "MESSAGE 99");

    let mut also =
        |name: &str, (status, body): (u16, Value)| answers.push((name.to_owned(), status, body));
    also("get", api.get(&worker).await);
    also("list", api.get(&workers).await);
    also(
        "cancel nothing",
        api.post(&format!("{worker}/cancel"), json!({})).await,
    );
    also(
        "create again",
        api.post(&workers, json!({"worker_id": "w-1"})).await,
    );
    also(
        "unknown profile",
        api.post(&workers, json!({"profile": "nobody"})).await,
    );
    also(
        "a bundle",
        api.post(
            &workers,
            json!({"config_bundle": {"id": "b", "digest": "d"}}),
        )
        .await,
    );
    also(
        "bad body",
        api.post(&format!("{worker}/input"), json!({"content": 7}))
            .await,
    );
    also(
        "bad limit",
        api.get(&format!("{worker}/transcript?limit=0")).await,
    );
    also(
        "bad page",
        api.get(&format!("{workers}?page=nonsense")).await,
    );
    also("nobody", api.get(&format!("{workers}/nobody")).await);
    also(
        "input to nobody",
        api.post(&format!("{workers}/nobody/input"), json!({"content": "?"}))
            .await,
    );
    also(
        "stop",
        api.post(&format!("{worker}/stop"), json!({"reason": "done"}))
            .await,
    );
    also(
        "stop again",
        api.post(&format!("{worker}/stop"), json!({})).await,
    );
    also(
        "input to the stopped",
        api.post(&format!("{worker}/input"), json!({"content": "?"}))
            .await,
    );
    also("runtime", seen_to_be_stopped(api, runtime).await);

    while let Some(frame) = watch.next().await {
        observed.take(&frame);
    }
    answers
}

/// What the Backend knows of the Runtime, once it has seen that the one Worker is stopped: it is
/// as old as the last probe.
async fn seen_to_be_stopped(api: &Api, runtime: &str) -> (u16, Value) {
    let stopped = json!({"total": 1, "idle": 0, "running": 0, "stopped": 1});
    eventually("the Backend sees the worker stopped", async || {
        let (status, detail) = api.get(&format!("/api/runtimes/{runtime}")).await;
        if detail["workers"] == stopped {
            Ok((status, detail))
        } else {
            Err(detail)
        }
    })
    .await
}

/// Replaces what may differ between two Runtimes: ids, names, times, cursors, and how a Runtime is
/// reached and kept. An id keeps its identity: the same id is the same placeholder throughout.
fn normalise(value: &mut Value, ids: &mut BTreeMap<String, String>, runtime: &str) {
    match value {
        Value::Object(fields) => {
            for gone in ["source", "store", "limits", "circuit"] {
                fields.remove(gone);
            }
            for (name, field) in fields.iter_mut() {
                match name.as_str() {
                    "cursor" | "next_page" | "request_id" | "boot_id" | "age_ms" => {
                        *field = json!(format!("<{name}>"));
                    }
                    _ if name.ends_with("_at") || name == "at" => *field = json!("<time>"),
                    _ => normalise(field, ids, runtime),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| normalise(item, ids, runtime)),
        Value::String(text) => {
            if text.starts_with("run-") {
                let next = format!("<run {}>", ids.len());
                *text = ids.entry(text.clone()).or_insert(next).clone();
            } else {
                *text = text
                    .split(' ')
                    .map(|word| match word {
                        _ if word == runtime => "<runtime>",
                        _ if word == format!("w-1@{runtime}")
                            || word == format!("Shouter@{runtime}") =>
                        {
                            "<ref>"
                        }
                        _ => word,
                    })
                    .collect::<Vec<_>>()
                    .join(" ");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn an_embedded_and_a_remote_runtime_answer_alike_and_stream_what_they_keep() {
    let house = House::start(PROFILES).await;
    let api = Api::new(house.backend.url());
    let mut lives = Vec::new();
    for runtime in ["local", "far"] {
        let mut answers = life(&api, runtime).await;
        let mut ids = BTreeMap::new();
        for (_, _, body) in &mut answers {
            normalise(body, &mut ids, runtime);
        }
        lives.push(answers);
    }
    let far = lives.pop().expect("two lives");
    let local = lives.pop().expect("two lives");
    assert_eq!(local.len(), far.len());
    for (embedded, remote) in local.iter().zip(&far) {
        assert_alike(embedded, remote);
    }
}

fn assert_alike(embedded: &(String, u16, Value), remote: &(String, u16, Value)) {
    assert_eq!((&embedded.0, embedded.1), (&remote.0, remote.1));
    assert_eq!(
        serde_json::to_string_pretty(&embedded.2).expect("JSON"),
        serde_json::to_string_pretty(&remote.2).expect("JSON"),
        "{} differs between embedded and remote",
        embedded.0
    );
}
