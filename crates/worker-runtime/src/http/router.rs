//! All routes of a Runtime.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use yoi_http_kit::{Drain, EdgeSettings, HttpSettings, SourceNames, edge, health};
use yoi_protocol::{Origin, path};

use super::state::AppState;
use super::{handlers, routes, sse, websocket};
use crate::{Readiness, Runtime};

/// The whole Runtime API over `runtime`, with everything round it but the accept loop.
///
/// `drain` is that of the server it runs in: it ends observers, and readiness follows it.
pub fn router(runtime: Runtime, settings: &HttpSettings, drain: &Drain) -> Router {
    let state = AppState {
        observe: Arc::new(settings.observe(drain)),
        runtime: runtime.clone(),
    };
    let router = Router::new()
        .route(path::runtime::RUNTIME, get(handlers::runtime))
        .route(
            path::runtime::WORKERS,
            get(handlers::list).post(handlers::create),
        )
        .route(path::runtime::WORKER, get(handlers::worker))
        .route(path::runtime::INPUT, post(handlers::input))
        .route(path::runtime::CANCEL, post(handlers::cancel))
        .route(path::runtime::STOP, post(handlers::stop))
        .route(path::runtime::TRANSCRIPT, get(handlers::transcript))
        .route(path::runtime::EVENTS_WS, get(websocket::events))
        .route(path::runtime::EVENTS, get(sse::events))
        .route(path::runtime::OPENAPI, get(handlers::openapi))
        .merge(health::routes(
            ready(&runtime, drain),
            settings.metrics.clone(),
        ))
        .with_state(state);
    edge(router, round(&runtime, settings))
}

fn ready(runtime: &Runtime, drain: &Drain) -> health::ReadyCheck {
    let (runtime, drain) = (runtime.clone(), drain.clone());
    Arc::new(move || runtime.readiness() == Readiness::Ready && !drain.has_begun())
}

/// What a Runtime bounds by itself is in its limits, which it publishes.
fn round(runtime: &Runtime, settings: &HttpSettings) -> EdgeSettings {
    let limits = runtime.limits();
    let source = SourceNames {
        runtime_id: runtime.id().clone(),
        boot_id: runtime.boot_id().clone(),
    };
    EdgeSettings {
        max_requests: usize::try_from(limits.max_requests).unwrap_or(usize::MAX),
        max_body_bytes: limits.max_body_bytes,
        ..settings.edge(Origin::Runtime, Some(source), routes::table())
    }
}
