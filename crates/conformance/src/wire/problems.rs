//! Refusals in problem form, each with its code.

use http::Method;
use yoi_protocol::Code;

use super::ask::Wire;
use crate::catalogue::checks;
use crate::heard::Rule;
use crate::unmet::{Verdict, holds};

checks! { Wire, "problems";
    unknown_routes: "a path that is not there is route_not_found";
    other_methods: "another method is method_not_allowed, with Allow";
    ids_that_none_could_have: "a worker_id that none could have is worker_not_found, not a path";
    names_are_no_address: "a Worker has no other address than its id: neither display_name nor display_ref";
    parameters_that_do_not_parse: "a parameter that does not parse is invalid_request";
    effects_of_commands_alone: "problems of commands say their effect, problems of reads do not";
    show_no_credential: "no answer shows the credential, right or wrong, that it was asked with";
    are_plain_text: "title and detail of a problem have no control characters";
}

async fn unknown_routes(wire: &Wire) -> Verdict {
    for path in [
        "/v1",
        "/v1/nowhere",
        "/v1/workers/w-1/nothing",
        "/v0/runtime",
    ] {
        wire.get(path)
            .send()
            .await?
            .refused_read(Code::RouteNotFound)?;
    }
    Ok(())
}

async fn other_methods(wire: &Wire) -> Verdict {
    for (path, allowed) in [
        ("/v1/runtime", &["GET"][..]),
        ("/v1/workers", &["GET", "POST"]),
        ("/v1/workers/w-1/input", &["POST"]),
    ] {
        let reply = wire.ask(Method::DELETE, path).send().await?;
        reply.problem(Code::MethodNotAllowed)?;
        let allow = reply.header("allow").unwrap_or_default();
        let named: Vec<&str> = allow.split(',').map(str::trim).collect();
        for method in allowed {
            holds(named.contains(method), || {
                format!("Allow of {path} is {allow:?}, without {method}")
            })?;
        }
        let has_delete = named.contains(&"DELETE");
        holds(!has_delete, || {
            format!("{path} allows DELETE and refuses it")
        })?;
    }
    Ok(())
}

async fn ids_that_none_could_have(wire: &Wire) -> Verdict {
    for id in ["NOT-AN-ID", "-begins-with-a-dash", "%20"] {
        let path = format!("/v1/workers/{id}");
        let read = wire.get(&path).send().await?;
        read.refused_read(Code::WorkerNotFound)?;
        let input = wire.post(format!("{path}/input"), r#"{"content":"x"}"#);
        input.send().await?.refused_command(Code::WorkerNotFound)?;
        if wire.needs_sse().is_ok() {
            let events = wire.get(format!("{path}/events"));
            events.send().await?.refused_read(Code::WorkerNotFound)?;
        }
    }
    is_nobody(wire, "..%2f..%2fetc%2fpasswd").await
}

/// Holds that no Worker is at this address. A server may read a slash in it as one of the path,
/// and then has no such route.
async fn is_nobody(wire: &Wire, address: &str) -> Verdict {
    let reply = wire.get(format!("/v1/workers/{address}")).send().await?;
    let is_route = address.to_ascii_lowercase().contains("%2f");
    if is_route && reply.refused_read(Code::RouteNotFound).is_ok() {
        return Ok(());
    }
    reply.refused_read(Code::WorkerNotFound)?;
    Ok(())
}

async fn names_are_no_address(wire: &Wire) -> Verdict {
    let bench = wire.bench();
    let name = format!("name-of-{}", bench.key());
    let body = yoi_protocol::CreateWorker {
        display_name: Some(name.clone()),
        ..bench.body()
    };
    let worker = bench.create(&body).await?;
    let reference = worker.display_ref.replace('@', "%40").replace(' ', "%20");
    let runtime_id = &bench.info().runtime_id;
    let both = format!("{runtime_id}%2F{}", worker.worker_id);
    for other in [name, reference, both] {
        is_nobody(wire, &other).await?;
    }
    Ok(())
}

async fn parameters_that_do_not_parse(wire: &Wire) -> Verdict {
    let (_, worker) = wire.idle().await?;
    for (path, pointer) in [
        ("/v1/workers?limit=many", "/limit"),
        ("/v1/workers?status=asleep", "/status"),
        ("/v1/workers?page=%20", "/page"),
        (&*format!("{worker}/transcript?after=-1"), "/after"),
        (&*format!("{worker}/transcript?limit=1.5"), "/limit"),
    ] {
        let reply = wire.get(path).send().await?;
        let problem = reply.refused_read(Code::InvalidRequest)?;
        let named = problem.details.errors.iter();
        let names = named
            .map(|error| error.pointer.as_str())
            .any(|one| one == pointer);
        holds(names, || {
            format!("{path} is refused without naming {pointer}")
        })?;
    }
    Ok(())
}

async fn effects_of_commands_alone(wire: &Wire) -> Verdict {
    let nobody = "/v1/workers/conformance-nobody";
    let read = wire.get(nobody).send().await?;
    read.refused_read(Code::WorkerNotFound)?;
    for command in ["input", "cancel", "stop"] {
        let ask = wire.post(format!("{nobody}/{command}"), r#"{"content":"x"}"#);
        let problem = ask.send().await?.refused_command(Code::WorkerNotFound)?;
        let named = problem.worker_id.as_ref().map(|id| id.as_str());
        crate::unmet::same("worker_id", named, Some("conformance-nobody"))?;
    }
    Ok(())
}

async fn show_no_credential(wire: &Wire) -> Verdict {
    // A wrong one is longer than by chance, whatever the right one is.
    let wrong = format!("Bearer {}", wire.bench().key());
    for authorization in [None, Some(&*wrong)] {
        for ask in [
            wire.get("/v1/runtime"),
            wire.get("/v1/nowhere"),
            wire.get("/v1/workers/conformance-nobody"),
            wire.get("/v1/workers?limit=many"),
            wire.ask(Method::DELETE, "/v1/workers"),
            wire.post("/v1/workers", "{"),
            wire.post("/v1/workers", "{}")
                .header("content-type", "text/plain"),
            wire.get("/v1/runtime").header("origin", "null"),
            wire.get("/v1/runtime")
                .header("yoi-runtime-id", "conformance-elsewhere"),
        ] {
            match authorization {
                Some(wrong) => ask.header("authorization", wrong).send().await?,
                None => ask.send().await?,
            };
        }
    }
    wire.keeps(Rule::ShowsNoCredential)
}

async fn are_plain_text(wire: &Wire) -> Verdict {
    let profile = r#"{"profile":"\u001b[31m\u0007"}"#;
    for ask in [
        wire.get("/v1/%1B%5B31m"),
        wire.get("/v1/workers/%1B%5B31m"),
        wire.get("/v1/workers?status=%1B%5B31m"),
        wire.post("/v1/workers", profile),
        wire.post("/v1/workers", r#"{"\u001b[31m":"#),
    ] {
        ask.send().await?;
    }
    wire.keeps(Rule::IsPlainText)
}
