//! Who is let in.

use http::Method;
use yoi_protocol::{Code, path};

use super::ask::Wire;
use crate::catalogue::checks;
use crate::unmet::{Unmet, Verdict, skipped};

checks! { Wire, "credential";
    is_needed_everywhere: "without the token every route but health is unauthorized, and nothing is done";
    must_be_the_right_one: "another token, or another scheme, is unauthorized";
}

fn needs_token(wire: &Wire) -> Result<(), Unmet> {
    if wire.has_token() {
        Ok(())
    } else {
        Err(skipped("the runtime is asked without a token: name one"))
    }
}

async fn is_needed_everywhere(wire: &Wire) -> Verdict {
    needs_token(wire)?;
    let (worker_id, _) = wire.idle().await?;
    for (method, path) in [
        (Method::GET, path::runtime::RUNTIME),
        (Method::GET, path::runtime::WORKERS),
        (Method::POST, path::runtime::WORKERS),
        (Method::GET, path::runtime::WORKER),
        (Method::POST, path::runtime::INPUT),
        (Method::POST, path::runtime::CANCEL),
        (Method::POST, path::runtime::STOP),
        (Method::GET, path::runtime::TRANSCRIPT),
        (Method::GET, path::runtime::EVENTS),
        (Method::GET, path::runtime::EVENTS_WS),
        (Method::GET, path::runtime::OPENAPI),
        (Method::GET, path::METRICS),
    ] {
        let path = path.replace("{worker_id}", worker_id.as_str());
        if wire.needs(&method, &path).is_err() {
            continue;
        }
        let ask = wire.ask(method, path).unauthorized();
        ask.send().await?.problem(Code::Unauthorized)?;
    }
    let worker = wire.bench().get(&worker_id).await?;
    let idle = yoi_protocol::WorkerStatus::Idle;
    crate::unmet::same("the status afterwards", worker.status, idle)
}

async fn must_be_the_right_one(wire: &Wire) -> Verdict {
    needs_token(wire)?;
    for wrong in [
        "Bearer conformance-wrong",
        "Bearer ",
        "Basic Y29uZm9ybWFuY2U6eA==",
    ] {
        let ask = wire
            .get(path::runtime::RUNTIME)
            .header("authorization", wrong);
        ask.send().await?.problem(Code::Unauthorized)?;
    }
    wire.get(path::runtime::RUNTIME).send().await?.is(200)
}
