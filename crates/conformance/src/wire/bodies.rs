//! Bodies: which are taken, and which are refused.

use serde_json::{Value, json};
use yoi_protocol::Code;

use super::ask::Wire;
use crate::catalogue::checks;
use crate::heard::Rule;
use crate::unmet::{Verdict, holds, names_alone, same, skipped};

checks! { Wire, "bodies";
    name_the_field_at_fault: "a body that does not parse or validate is invalid_request and names each field";
    must_be_json_by_their_type: "a body that does not say that it is JSON is unsupported_media_type";
    are_bounded: "a body over max_body_bytes is payload_too_large with limit_bytes";
    may_have_unknown_fields: "fields that the Runtime does not know are ignored, and never acted on";
    may_say_null_for_nothing: "null means the same as absent";
    may_be_missing: "cancel and stop take no body for an empty one";
    leave_out_what_is_absent: "no answer says null for what is absent";
}

/// The largest body that is sent to see that it is refused.
const LARGEST: u64 = 64 << 20;

async fn name_the_field_at_fault(wire: &Wire) -> Verdict {
    let (_, worker) = wire.idle().await?;
    let input = format!("{worker}/input");
    for (path, body, pointer) in [
        ("/v1/workers", "", ""),
        ("/v1/workers", "{", ""),
        ("/v1/workers", "[]", ""),
        ("/v1/workers", r#"{"worker_id":"NOT AN ID"}"#, "/worker_id"),
        ("/v1/workers", r#"{"worker_id":7}"#, "/worker_id"),
        (
            "/v1/workers",
            r#"{"intent":{"kind":"other"}}"#,
            "/intent/kind",
        ),
        ("/v1/workers", r#"{"labels":{"a":1}}"#, "/labels/a"),
        (&input, "{}", "/content"),
        (&input, r#"{"content":7}"#, "/content"),
        (&input, r#"{"content":"x","kind":"system"}"#, "/kind"),
    ] {
        let reply = wire.post(path, body.to_owned()).send().await?;
        let problem = reply.refused_command(Code::InvalidRequest)?;
        let errors = &problem.details.errors;
        // Of what is no JSON object there may be nothing to name.
        if !pointer.is_empty() || !errors.is_empty() {
            names_alone(&problem.details, pointer, &format!("{body:?}"))?;
        }
        let are_told = errors.iter().all(|error| !error.message.is_empty());
        holds(are_told, || {
            format!("{body:?} is refused without a message")
        })?;
    }
    Ok(())
}

async fn must_be_json_by_their_type(wire: &Wire) -> Verdict {
    let text = wire
        .post("/v1/workers", "{}")
        .header("content-type", "text/plain");
    text.send()
        .await?
        .refused_command(Code::UnsupportedMediaType)?;
    let (_, worker) = wire.idle().await?;
    let named = wire.post(format!("{worker}/cancel"), "{}");
    let named = named.header("content-type", "application/json; charset=utf-8");
    named.send().await?.is(200)
}

async fn are_bounded(wire: &Wire) -> Verdict {
    wire.bench().needs_limit("max_body_bytes")?;
    let limit = wire.bench().info().limits.max_body_bytes;
    if limit >= LARGEST {
        return Err(skipped("max_body_bytes is too large to try"));
    }
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let body = format!(r#"{{"display_name":"{}"}}"#, "x".repeat(size));
    let reply = wire.post("/v1/workers", body).send().await?;
    let problem = reply.refused_command(Code::PayloadTooLarge)?;
    same("limit_bytes", problem.details.limit_bytes, Some(limit))
}

/// The body of a create, with more fields.
fn with(wire: &Wire, more: Value) -> Value {
    let mut body = serde_json::to_value(wire.bench().body()).unwrap_or_default();
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

async fn may_have_unknown_fields(wire: &Wire) -> Verdict {
    let tempting = json!({
        "conformance_unknown": {"a": [1, 2, "canary-of-a-check"]},
        "program": "/bin/canary-of-a-check",
        "args": ["canary-of-a-check"],
        "path": "/etc/canary-of-a-check",
        "socket": "/run/canary-of-a-check.sock",
        "session": "canary-of-a-check",
        "display_ref": "canary-of-a-check@elsewhere",
    });
    let created = wire.post("/v1/workers", with(wire, tempting.clone()).to_string());
    let created = created.send().await?;
    let worker: yoi_protocol::Worker = created.read(201)?;
    let path = format!("/v1/workers/{}", worker.worker_id);
    let mut replies = vec![created];
    for command in ["cancel", "stop"] {
        let ask = wire.post(format!("{path}/{command}"), tempting.to_string());
        replies.push(ask.send().await?);
    }
    replies.push(wire.get(path).send().await?);
    for reply in &replies {
        holds(reply.status < 300, || {
            format!("{} gave {}", reply.asked, reply.status)
        })?;
        holds(!reply.text().contains("canary-of-a-check"), || {
            format!("{} shows a field that it should not know", reply.asked)
        })?;
    }
    Ok(())
}

async fn may_say_null_for_nothing(wire: &Wire) -> Verdict {
    let nothing = json!({
        "display_name": null, "intent": null, "labels": null, "config_bundle": null,
        "requested_capabilities": null, "workspace_refs": null, "mount_refs": null,
    });
    let ask = wire.post("/v1/workers", with(wire, nothing).to_string());
    let worker = ask.send().await?.value(201)?;
    let absent = worker.get("display_name").is_none() && worker.get("labels").is_none();
    holds(absent, || "what is absent is not left out".to_owned())?;
    let path = format!(
        "/v1/workers/{}",
        worker["worker_id"].as_str().unwrap_or_default()
    );
    let null = r#"{"run_id":null,"reason":null}"#;
    let cancel = wire.post(format!("{path}/cancel"), null);
    cancel.send().await?.is(200)
}

async fn may_be_missing(wire: &Wire) -> Verdict {
    let (_, worker) = wire.idle().await?;
    for command in ["cancel", "stop"] {
        let ask = wire.ask(http::Method::POST, format!("{worker}/{command}"));
        ask.send().await?.value(200)?;
    }
    Ok(())
}

async fn leave_out_what_is_absent(wire: &Wire) -> Verdict {
    let (worker_id, worker) = wire.idle().await?;
    wire.bench().run(&worker_id).await?;
    for path in ["/v1/runtime", "/v1/workers", &worker, "/v1/nowhere"] {
        wire.get(path).send().await?;
    }
    wire.keeps(Rule::LeavesOutWhatIsAbsent)
}
