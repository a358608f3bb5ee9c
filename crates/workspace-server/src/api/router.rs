//! All routes of a Backend.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use yoi_http_kit::{Drain, HttpSettings, edge, health};
use yoi_protocol::{Origin, path};

use super::state::AppState;
use super::{commands, events, reads, routes};
use crate::Backend;

/// The whole Backend API over `backend`, with everything round it but the accept loop.
///
/// `drain` is that of the server it runs in: it ends observers, and readiness follows it.
pub fn router(backend: Backend, settings: &HttpSettings, drain: &Drain) -> Router {
    let state = AppState {
        observe: Arc::new(settings.observe(drain).naming_the_runtime()),
        backend: backend.clone(),
    };
    let router = Router::new()
        .route(path::backend::RUNTIMES, get(reads::runtimes))
        .route(path::backend::RUNTIME, get(reads::runtime))
        .route(path::backend::ALL_WORKERS, get(reads::all_workers))
        .route(
            path::backend::WORKERS,
            get(reads::workers).post(commands::create),
        )
        .route(path::backend::WORKER, get(reads::worker))
        .route(path::backend::INPUT, post(commands::input))
        .route(path::backend::CANCEL, post(commands::cancel))
        .route(path::backend::STOP, post(commands::stop))
        .route(path::backend::TRANSCRIPT, get(reads::transcript))
        .route(path::backend::EVENTS_WS, get(events::websocket))
        .route(path::backend::EVENTS, get(events::sse))
        .route(path::backend::OPENAPI, get(reads::openapi))
        .merge(health::routes(
            ready(&backend, drain),
            settings.metrics.clone(),
        ))
        .with_state(state);
    let round = settings.edge(Origin::Backend, None, routes::table());
    edge(router, round)
}

fn ready(backend: &Backend, drain: &Drain) -> health::ReadyCheck {
    let (backend, drain) = (backend.clone(), drain.clone());
    Arc::new(move || backend.is_ready() && !drain.has_begun())
}
