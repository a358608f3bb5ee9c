//! What a command carries in its head: its key and its deadline.

use serde_json::json;
use yoi_protocol::{Code, header};

use super::ask::Wire;
use crate::catalogue::checks;
use crate::unmet::{Verdict, same};

checks! { Wire, "commands";
    not_begun_in_time_do_nothing: "a command whose deadline has passed is timed_out, effect none, and not done";
    compare_bodies_after_parsing: "a body that is written otherwise and says the same is the same under a key";
    refuse_keys_that_are_none: "a key is 1 to 255 visible ASCII characters, else invalid_request";
    are_accepted_with_202: "an input answers 202 with its run, sequence and cursor";
}

async fn not_begun_in_time_do_nothing(wire: &Wire) -> Verdict {
    let (_, worker) = wire.idle().await?;
    let input = wire.post(format!("{worker}/input"), r#"{"content":"late"}"#);
    let reply = input.header(header::DEADLINE_MS, "0").send().await?;
    reply.refused_command(Code::TimedOut)?;
    let found = wire.get(&worker).send().await?.value(200)?;
    same("transcript_length", &found["transcript_length"], &json!(0))?;
    let soon = wire.get(&worker).header(header::DEADLINE_MS, "30000");
    soon.send().await?.is(200)
}

async fn compare_bodies_after_parsing(wire: &Wire) -> Verdict {
    wire.bench().needs_keys()?;
    let key = wire.bench().key().to_string();
    let id = wire.bench().name();
    let profile = serde_json::to_string(&wire.bench().body().profile).unwrap_or_default();
    let one = format!(r#"{{"worker_id":"{id}","display_name":"a","profile":{profile}}}"#);
    let other = format!(
        "{{ \"profile\": {profile},\n\t\"display_name\": \"\\u0061\", \"worker_id\": \"{id}\" }}"
    );
    let mut answers = Vec::new();
    for body in [one, other] {
        let ask = wire.post("/v1/workers", body);
        let reply = ask.header(header::IDEMPOTENCY_KEY, &key).send().await?;
        answers.push(reply.value(201)?);
    }
    same("the second answer", answers.last(), answers.first())
}

async fn refuse_keys_that_are_none(wire: &Wire) -> Verdict {
    wire.bench().needs_keys()?;
    let body = serde_json::to_string(&wire.bench().body()).unwrap_or_default();
    for key in ["", "two words", &"x".repeat(256)] {
        let ask = wire.post("/v1/workers", body.clone());
        let reply = ask.header(header::IDEMPOTENCY_KEY, key).send().await?;
        reply.refused_command(Code::InvalidRequest)?;
    }
    let ask = wire.post("/v1/workers", body);
    let key = format!("{}{}", wire.bench().key(), "x".repeat(160));
    ask.header(header::IDEMPOTENCY_KEY, &key)
        .send()
        .await?
        .is(201)
}

async fn are_accepted_with_202(wire: &Wire) -> Verdict {
    let (_, worker) = wire.idle().await?;
    let input = wire.post(
        format!("{worker}/input"),
        r#"{"content":"x","kind":"user"}"#,
    );
    let accepted: yoi_protocol::InputAccepted = input.send().await?.read(202)?;
    same("sequence", accepted.sequence, 1)
}
