//! The routes that a supervisor and a metrics scraper ask for.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_TYPE, HeaderValue};
use yoi_protocol::{Code, path};

use crate::Rejection;

/// Tells whether the server can serve.
pub type ReadyCheck = Arc<dyn Fn() -> bool + Send + Sync>;
/// Renders all metrics as Prometheus text.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// `/healthz` (200 while the process answers at all), `/readyz` (200, or the problem
/// `unavailable` while `ready` says no) and `/metrics`.
///
/// The first two need no credential, so that a supervisor can ask.
pub fn routes<S: Clone + Send + Sync + 'static>(
    ready: ReadyCheck,
    metrics: MetricsText,
) -> Router<S> {
    Router::new()
        .route(path::HEALTHZ, get(async || text("ok\n".to_owned())))
        .route(
            path::READYZ,
            get(move || async move {
                if ready() {
                    Ok(text("ready\n".to_owned()))
                } else {
                    Err(Rejection::code(Code::Unavailable))
                }
            }),
        )
        .route(
            path::METRICS,
            get(move || async move { prometheus(metrics()) }),
        )
}

fn text(body: String) -> Response {
    body.into_response()
}

fn prometheus(body: String) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
