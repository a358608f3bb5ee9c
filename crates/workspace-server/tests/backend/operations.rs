//! Every operation, over an embedded and a remote Runtime: the same answers, to the byte, but for
//! what the contract lets differ.

use serde_json::{Value, json};
use yoi_protocol::{BootId, Cursor, RunId, Timestamp};
use yoi_testkit::{Script, TestRuntime, eventually};
use yoi_workspace_server::{Backend, Registration};

use crate::answers::{Book, Told, assert_kept};
use crate::kept::told;
use crate::support::{Reply, Served, embedded, registered, remote};

struct Both {
    served: Served,
    scripts: [Script; 2],
    _remote: TestRuntime,
}

const BOTH: [&str; 2] = ["inside", "outside"];

async fn both() -> Both {
    let (inside, inside_script) = embedded("inside").await;
    let (outside, outside_script) = remote("outside").await;
    let builder = Backend::builder()
        .runtime(Registration::embedded(inside))
        .runtime(registered(&outside));
    Both {
        served: Served::start(builder).await,
        scripts: [inside_script, outside_script],
        _remote: outside,
    }
}

/// An answer without what may differ: ids that were made, names, times and cursors, each having
/// been looked at.
fn normal(runtime: &str, value: &Value) -> Value {
    let Value::Object(fields) = value else {
        return match value {
            Value::Array(items) => items.iter().map(|item| normal(runtime, item)).collect(),
            other => other.clone(),
        };
    };
    let field = |(name, value): (&String, &Value)| {
        let text = || {
            value
                .as_str()
                .unwrap_or_else(|| panic!("{name} is {value}"))
        };
        let fits = match name.as_str() {
            "runtime_id" => text() == runtime,
            "run_id" | "active_run_id" | "cancelled_run_id" => is_made_run(text()),
            "boot_id" => text().starts_with("boot-") && BootId::parse(text()).is_ok(),
            "source" => {
                text()
                    == if runtime == "inside" {
                        "embedded"
                    } else {
                        "remote"
                    }
            }
            "cursor" => Cursor::parse(text()).is_ok() && text().len() <= 256,
            "at" | "created_at" | "updated_at" | "started_at" | "finished_at" | "accepted_at" => {
                text().ends_with('Z') && serde_json::from_value::<Timestamp>(value.clone()).is_ok()
            }
            "detail" | "display_name" | "display_ref" | "message" => {
                return (name.clone(), json!(names_hidden(runtime, text())));
            }
            _ => return (name.clone(), normal(runtime, value)),
        };
        assert!(fits, "{name} of {runtime} is {value}");
        (name.clone(), json!(format!("[{name}]")))
    };
    // Only what is reached over a link has one, and here it is well.
    let circuit = (runtime == "outside").then(|| json!({"state": "closed"}));
    if fields.contains_key("source") {
        assert_eq!(fields.get("circuit"), circuit.as_ref(), "of {runtime}");
    }
    let same = fields.iter().filter(|(name, _)| *name != "circuit");
    same.map(field).collect()
}

fn is_made_run(text: &str) -> bool {
    RunId::parse(text).is_ok()
        && text
            .strip_prefix("run-")
            .is_some_and(|rest| rest.len() == 36)
}

fn names_hidden(runtime: &str, text: &str) -> String {
    let words = text.split(' ').map(|word| {
        if is_made_run(word) {
            "[run_id]".to_owned()
        } else {
            word.replace(runtime, "[runtime_id]")
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn shown(runtime: &str, reply: &Reply) -> Told {
    let mut told = told(reply);
    told.body = normal(runtime, &told.body);
    for value in told.headers.values_mut() {
        *value = json!(names_hidden(runtime, value.as_str().unwrap()));
    }
    told
}

impl Both {
    /// Asks both, and keeps the one answer that both must give.
    async fn same(
        &self,
        book: &mut Book,
        cause: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) {
        let id = format!("req-{cause}");
        let headers = [headers, &[("x-request-id", id.as_str())]].concat();
        let mut answers = Vec::new();
        for runtime in BOTH {
            let path = format!("/api/runtimes/{runtime}{path}");
            let reply = self
                .served
                .ask(method, &path, &headers, body.as_ref())
                .await;
            let shown = shown(runtime, &reply);
            answers.push(shown.clone());
            book.tell(cause, format!("{method} {path}"), shown);
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }

    async fn status(&self, status: &str) {
        for runtime in BOTH {
            let path = format!("/api/runtimes/{runtime}/workers/w-1");
            eventually("the worker's status", async || {
                let reply = self.served.get(&path).await;
                if reply.body["status"] == status {
                    Ok(())
                } else {
                    Err(reply.body)
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_embedded_and_a_remote_runtime_answer_alike() {
    let mut both = both().await;
    let mut book = Book::default();
    macro_rules! step {
        ($name:literal, $method:literal, $path:expr, $headers:expr, $body:expr $(,)?) => {
            both.same(&mut book, $name, ($method, $path), $headers, $body)
                .await
        };
    }
    step!("runtime", "GET", "", &[], None);
    let body = json!({"worker_id": "w-1", "display_name": "One", "labels": {"k": "v"},
        "intent": {"kind": "task", "goal": 7}, "path": "/etc/passwd", "socket": "/run/s", "session": "main"});
    step!(
        "create",
        "POST",
        "/workers",
        &[("idempotency-key", "create-1")],
        Some(body.clone())
    );
    step!(
        "create_replayed",
        "POST",
        "/workers",
        &[("idempotency-key", "create-1")],
        Some(body.clone())
    );
    step!(
        "create_conflict",
        "POST",
        "/workers",
        &[("idempotency-key", "create-1")],
        Some(json!({"worker_id": "w-9"}))
    );
    step!("create_again", "POST", "/workers", &[], Some(body));
    step!(
        "create_unknown_profile",
        "POST",
        "/workers",
        &[],
        Some(json!({"profile": "none"}))
    );
    step!(
        "create_bad_field",
        "POST",
        "/workers",
        &[],
        Some(json!({"labels": {"k": 7}}))
    );
    step!(
        "create_bad_id",
        "POST",
        "/workers",
        &[],
        Some(json!({"worker_id": "A/B"}))
    );
    step!(
        "create_bad_name",
        "POST",
        "/workers",
        &[],
        Some(json!({"display_name": ""}))
    );
    step!(
        "create_with_mount",
        "POST",
        "/workers",
        &[],
        Some(json!({"mount_refs": [{"name": "a", "reference": "b"}]}))
    );
    step!("get", "GET", "/workers/w-1", &[], None);
    step!("get_missing", "GET", "/workers/w-none", &[], None);
    step!("get_impossible", "GET", "/workers/W%2F..", &[], None);
    step!("list", "GET", "/workers?limit=1", &[], None);
    step!("list_bad_limit", "GET", "/workers?limit=1001", &[], None);
    step!("list_bad_page", "GET", "/workers?page=forged", &[], None);
    step!(
        "input",
        "POST",
        "/workers/w-1/input",
        &[("idempotency-key", "k")],
        Some(json!({"content": "hello"}))
    );
    step!(
        "input_replayed",
        "POST",
        "/workers/w-1/input",
        &[("idempotency-key", "k")],
        Some(json!({"content": "hello"}))
    );
    step!(
        "input_busy",
        "POST",
        "/workers/w-1/input",
        &[],
        Some(json!({"content": "again"}))
    );
    step!(
        "input_empty",
        "POST",
        "/workers/w-1/input",
        &[],
        Some(json!({}))
    );
    step!(
        "input_too_large",
        "POST",
        "/workers/w-1/input",
        &[],
        Some(json!({"content": "x".repeat(1001)}))
    );
    step!(
        "input_missing",
        "POST",
        "/workers/w-none/input",
        &[],
        Some(json!({"content": "x"}))
    );
    step!("running", "GET", "/workers/w-1", &[], None);
    for script in &mut both.scripts {
        let run = script.next_run().await;
        assert_eq!(run.input(), "hello");
        run.say("hel").await;
        run.say("lo").await;
        run.complete();
    }
    both.status("idle").await;
    step!("transcript", "GET", "/workers/w-1/transcript", &[], None);
    step!(
        "transcript_page",
        "GET",
        "/workers/w-1/transcript?limit=1",
        &[],
        None
    );
    step!(
        "transcript_past_the_end",
        "GET",
        "/workers/w-1/transcript?after=99",
        &[],
        None
    );
    step!(
        "transcript_bad_after",
        "GET",
        "/workers/w-1/transcript?after=-1",
        &[],
        None
    );
    step!("cancel_idle", "POST", "/workers/w-1/cancel", &[], None);
    step!(
        "input_again",
        "POST",
        "/workers/w-1/input",
        &[],
        Some(json!({"content": "more"}))
    );
    let mut runs = Vec::new();
    for script in &mut both.scripts {
        let run = script.next_run().await;
        run.say("so far").await;
        runs.push(run);
    }
    step!(
        "cancel_another_run",
        "POST",
        "/workers/w-1/cancel",
        &[],
        Some(json!({"run_id": "run-other"}))
    );
    step!(
        "cancel",
        "POST",
        "/workers/w-1/cancel",
        &[],
        Some(json!({"reason": "enough"}))
    );
    step!(
        "transcript_after_cancel",
        "GET",
        "/workers/w-1/transcript?after=2",
        &[],
        None
    );
    step!(
        "stop",
        "POST",
        "/workers/w-1/stop",
        &[],
        Some(json!({"reason": "done"}))
    );
    step!("stop_again", "POST", "/workers/w-1/stop", &[], None);
    step!(
        "input_stopped",
        "POST",
        "/workers/w-1/input",
        &[],
        Some(json!({"content": "x"}))
    );
    step!("cancel_stopped", "POST", "/workers/w-1/cancel", &[], None);
    step!(
        "deadline_passed",
        "POST",
        "/workers/w-1/stop",
        &[("yoi-deadline-ms", "0")],
        None
    );
    step!(
        "bad_key",
        "POST",
        "/workers/w-1/stop",
        &[("idempotency-key", "a b")],
        None
    );
    step!(
        "bad_deadline",
        "GET",
        "/workers/w-1",
        &[("yoi-deadline-ms", "soon")],
        None
    );
    drop(runs);
    assert_kept!("backend_operations", book);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_by_its_kind() {
    let both = both().await;
    let path = "/api/runtimes/inside/workers";
    let plain = both
        .served
        .ask("POST", path, &[("content-type", "text/plain")], None)
        .await;
    assert_eq!(plain.brief(), "415 unsupported_media_type backend none");
    let huge = json!({"labels": {"k": "x".repeat(2_000_000)}});
    let huge = both.served.post(path, huge).await;
    assert_eq!(huge.brief(), "413 payload_too_large backend none");
    assert_eq!(huge.body["limit_bytes"], 1_048_576);
}

#[tokio::test]
async fn two_principals_with_the_same_key_do_not_meet() {
    // The key that a Runtime gets is another for each principal.
    let (runtime, _script) = embedded("inside").await;
    let served = Served::over(Registration::embedded(runtime)).await;
    let caller = |name: &str| yoi_workspace_server::Caller {
        principal: name.into(),
        key: Some(yoi_protocol::IdempotencyKey::parse("same").unwrap()),
        ..Default::default()
    };
    let inside = crate::support::id("inside");
    let create = |name: &'static str| {
        served
            .backend
            .create_worker(caller(name), &inside, Default::default())
    };
    let (alice, bob, again) = (
        create("alice").await,
        create("bob").await,
        create("alice").await,
    );
    let (alice, bob, again) = (alice.unwrap(), bob.unwrap(), again.unwrap());
    assert_ne!(alice.value.worker_id, bob.value.worker_id);
    assert_eq!(alice.value.worker_id, again.value.worker_id);
    assert!(again.replayed && !bob.replayed);
}
