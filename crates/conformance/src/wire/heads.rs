//! What stands in the head of every answer.

use yoi_protocol::{RequestId, Worker, header};

use super::ask::Wire;
use super::reply::Reply;
use crate::catalogue::checks;
use crate::heard::Rule;
use crate::unmet::{Unmet, Verdict, holds, same};

checks! { Wire, "heads";
    name_their_source: "every answer names the Runtime and this start of it: problems, commands and streams too";
    carry_the_request_id: "every answer carries x-request-id: the caller's when well-formed, else a new one";
    say_where_a_worker_is: "a create answers 201 with the Location of the Worker";
    say_that_a_body_is_json: "answers are application/json";
    tell_a_replay: "Idempotency-Replayed: true stands in the answer to the second of two, and not in the first";
}

/// A success, a problem of a route, and one of no route.
async fn some_replies(wire: &Wire) -> Result<Vec<Reply>, Unmet> {
    let mut all = Vec::new();
    for path in [
        "/v1/runtime",
        "/v1/workers/conformance-nobody",
        "/v1/nowhere",
    ] {
        all.push(wire.get(path).send().await?);
    }
    all.push(wire.post("/v1/workers", "{").send().await?);
    Ok(all)
}

async fn name_their_source(wire: &Wire) -> Verdict {
    let info = wire.bench().info();
    for reply in some_replies(wire).await? {
        for (name, expected) in [
            (header::RUNTIME_ID, info.runtime_id.as_str()),
            (header::BOOT_ID, info.boot_id.as_str()),
        ] {
            let what = format!("{name} of {}", reply.asked);
            same(&what, reply.header(name), Some(expected))?;
        }
    }
    let (worker_id, _) = wire.idle().await?;
    wire.bench().run(&worker_id).await?;
    wire.keeps(Rule::NamesItsSource)
}

async fn carry_the_request_id(wire: &Wire) -> Verdict {
    let own = wire.bench().key().to_string();
    for path in ["/v1/runtime", "/v1/nowhere"] {
        let ask = wire.get(path).header(header::REQUEST_ID, &own);
        let reply = ask.send().await?;
        let what = format!("x-request-id of {}", reply.asked);
        same(&what, reply.header(header::REQUEST_ID), Some(own.as_str()))?;
    }
    for malformed in [None, Some("not well formed"), Some("\"quoted\"")] {
        let mut ask = wire.get("/v1/runtime");
        if let Some(malformed) = malformed {
            ask = ask.header(header::REQUEST_ID, malformed);
        }
        let reply = ask.send().await?;
        let minted = reply.header(header::REQUEST_ID).unwrap_or_default();
        let is_new = Some(minted) != malformed && RequestId::parse(minted).is_ok();
        holds(is_new, || {
            format!("to the x-request-id {malformed:?} the answer has {minted:?}")
        })?;
    }
    wire.keeps(Rule::HasARequestId)
}

async fn say_where_a_worker_is(wire: &Wire) -> Verdict {
    let body = serde_json::to_vec(&wire.bench().body()).unwrap_or_default();
    let reply = wire.post("/v1/workers", body).send().await?;
    let worker: Worker = reply.read(201)?;
    let path = format!("/v1/workers/{}", worker.worker_id);
    same("Location", reply.header("location"), Some(path.as_str()))?;
    let found: Worker = wire.get(path).send().await?.read(200)?;
    same("the worker at its Location", found, worker)
}

async fn say_that_a_body_is_json(wire: &Wire) -> Verdict {
    let (_, path) = wire.idle().await?;
    for path in [
        "/v1/runtime",
        "/v1/workers",
        &path,
        &format!("{path}/transcript"),
    ] {
        wire.get(path).send().await?.value(200)?;
    }
    Ok(())
}

async fn tell_a_replay(wire: &Wire) -> Verdict {
    wire.bench().needs_keys()?;
    let key = wire.bench().key().to_string();
    let body = serde_json::to_vec(&wire.bench().body()).unwrap_or_default();
    for expected in [None, Some("true")] {
        let ask = wire.post("/v1/workers", body.clone());
        let reply = ask.header(header::IDEMPOTENCY_KEY, &key).send().await?;
        reply.is(201)?;
        let replayed = reply.header(header::IDEMPOTENCY_REPLAYED);
        same("idempotency-replayed", replayed, expected)?;
    }
    Ok(())
}
