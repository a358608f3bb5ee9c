//! One request in the log and in the metrics.

use std::future::Future;

use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument;

use super::problem::Asked;

/// When the head of a request was there: what `yoi-deadline-ms` counts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival(pub(crate) Instant);

impl Arrival {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }
}

/// Answers inside a span, and counts.
///
/// The span and the metrics carry the template of the route, never the path, the query or a
/// body: ids of Workers are no labels, and a query may hold anything.
pub(super) async fn observe(
    asked: &Asked,
    arrival: Arrival,
    answering: impl Future<Output = Response>,
) -> Response {
    let route = asked
        .route
        .as_ref()
        .map_or("none", |route| route.as_str())
        .to_owned();
    let span = tracing::info_span!(
        "request",
        request_id = %asked.request_id,
        method = %asked.method,
        route = %route,
        trace_id = asked.trace.trace_id(),
    );
    async {
        let response = answering.await;
        let status = response.status().as_u16();
        let elapsed = arrival.0.elapsed();
        tracing::debug!(status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "answered");
        metrics::counter!(
            "yoi_http_requests_total",
            "route" => route.clone(), "method" => method(asked), "status" => status.to_string(),
        )
        .increment(1);
        metrics::histogram!("yoi_http_request_seconds", "route" => route.clone())
            .record(elapsed.as_secs_f64());
        response
    }
    .instrument(span)
    .await
}

/// A method as a label: those that the contract has, and one for all others.
fn method(asked: &Asked) -> &'static str {
    match asked.method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
