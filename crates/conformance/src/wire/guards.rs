//! Who is meant, and who may not ask at all.

use yoi_protocol::{Code, WorkerStatus, header};

use super::ask::Wire;
use crate::catalogue::checks;
use crate::unmet::{Verdict, refused, same};

checks! { Wire, "guards";
    refuse_what_is_for_another: "a request that names another Runtime is misdirected_request, and does nothing";
    take_what_is_for_this_one: "a request that names this Runtime is answered";
    refuse_browsers: "what carries Origin or Sec-Fetch-Site is forbidden_origin, and does nothing";
    refuse_other_hosts: "a Host that the Runtime does not know is forbidden_origin, and does nothing";
}

async fn refuse_what_is_for_another(wire: &Wire) -> Verdict {
    let (worker_id, worker) = wire.idle().await?;
    let never = wire.bench().name();
    let create = format!(r#"{{"worker_id":"{never}"}}"#);
    for (path, body) in [
        ("/v1/workers".to_owned(), create),
        (format!("{worker}/input"), r#"{"content":"x"}"#.to_owned()),
        (format!("{worker}/stop"), "{}".to_owned()),
    ] {
        let ask = wire.post(path, body);
        let reply = ask.header(header::RUNTIME_ID, "conformance-elsewhere");
        let reply = reply.send().await?;
        reply.refused_command(Code::MisdirectedRequest)?;
        let own = wire.bench().info().runtime_id.as_str();
        same(
            "yoi-runtime-id",
            reply.header(header::RUNTIME_ID),
            Some(own),
        )?;
    }
    let read = wire
        .get(&*worker)
        .header(header::RUNTIME_ID, "conformance-elsewhere");
    read.send().await?.problem(Code::MisdirectedRequest)?;
    let found = wire.bench().get(&worker_id).await?;
    same("status", found.status, WorkerStatus::Idle)?;
    same("transcript_length", found.transcript_length, 0)?;
    let got = wire.bench().subject().get(&never).await;
    refused("reading what was refused", got, Code::WorkerNotFound)?;
    Ok(())
}

async fn take_what_is_for_this_one(wire: &Wire) -> Verdict {
    let own = wire.bench().info().runtime_id.to_string();
    let ask = wire.get("/v1/runtime").header(header::RUNTIME_ID, &own);
    ask.send().await?.is(200)
}

/// Asks for a Worker with this header, which must be refused and make none.
async fn is_forbidden(wire: &Wire, name: &str, value: &str) -> Verdict {
    let never = wire.bench().name();
    let body = format!(r#"{{"worker_id":"{never}"}}"#);
    let ask = wire.post("/v1/workers", body).header(name, value);
    ask.send().await?.refused_command(Code::ForbiddenOrigin)?;
    let got = wire.bench().subject().get(&never).await;
    refused("reading what was refused", got, Code::WorkerNotFound)?;
    Ok(())
}

async fn refuse_browsers(wire: &Wire) -> Verdict {
    is_forbidden(wire, "origin", "http://localhost").await?;
    is_forbidden(wire, "origin", "null").await?;
    is_forbidden(wire, "sec-fetch-site", "same-origin").await
}

async fn refuse_other_hosts(wire: &Wire) -> Verdict {
    is_forbidden(wire, "host", "conformance.invalid").await
}
