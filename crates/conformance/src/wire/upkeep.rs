//! What operators and tools ask for.

use serde_json::Value;
use yoi_protocol::path;

use super::ask::Wire;
use crate::catalogue::checks;
use crate::unmet::{Verdict, holds};

checks! { Wire, "upkeep";
    health_is_open: "/healthz and /readyz answer 200, to everyone";
    metrics_are_text: "/metrics is Prometheus text";
    describes_itself: "/v1/openapi.json is an OpenAPI 3.1 document with every route";
}

async fn health_is_open(wire: &Wire) -> Verdict {
    for path in [path::HEALTHZ, path::READYZ] {
        wire.get(path).unauthorized().send().await?.is(200)?;
    }
    Ok(())
}

async fn metrics_are_text(wire: &Wire) -> Verdict {
    let reply = wire.get(path::METRICS).send().await?;
    reply.is(200)?;
    holds(reply.media_type() == "text/plain", || {
        format!("metrics are {:?}, not text/plain", reply.media_type())
    })
}

async fn describes_itself(wire: &Wire) -> Verdict {
    let document = wire.get(path::runtime::OPENAPI).send().await?.value(200)?;
    let version = document["openapi"].as_str().unwrap_or_default();
    holds(version.starts_with("3.1."), || {
        format!("openapi is {version:?}, not 3.1")
    })?;
    let mut routes = vec![
        (path::runtime::RUNTIME, "get"),
        (path::runtime::WORKERS, "get"),
        (path::runtime::WORKERS, "post"),
        (path::runtime::WORKER, "get"),
        (path::runtime::INPUT, "post"),
        (path::runtime::CANCEL, "post"),
        (path::runtime::STOP, "post"),
        (path::runtime::TRANSCRIPT, "get"),
    ];
    for (needed, path) in [
        (wire.needs_sse(), path::runtime::EVENTS),
        (wire.needs_websocket(), path::runtime::EVENTS_WS),
    ] {
        routes.extend(needed.map(|()| (path, "get")));
    }
    for (path, method) in routes {
        let asked = method.to_ascii_uppercase().parse().unwrap_or_default();
        if wire.needs(&asked, path).is_err() {
            continue;
        }
        let route: &Value = &document["paths"][path][method];
        holds(route.is_object(), || {
            format!("{method} {path} is not described")
        })?;
    }
    Ok(())
}
