//! The one function that a server puts round its router.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use yoi_protocol::Code;

use super::in_flight::InFlight;
use super::observed::{Arrival, observe};
use super::panic::caught;
use super::problem::{Asked, finish};
use super::settings::{BodyBounds, EdgeSettings};
use super::{addressee, cors, request_id};
use crate::Rejection;
use crate::extract::Principal;

/// An edge that is in place.
struct Edge {
    settings: EdgeSettings,
    in_flight: InFlight,
}

/// Puts the edge round all routes of `router`, and round what no route takes.
///
/// Every answer gets `x-request-id`, and at a Runtime its source; every answer that is not a
/// success becomes a problem. A request passes, in this order: the Host, Origin and fetch
/// metadata guard; CORS preflight; the bearer check (not `/healthz` and `/readyz`); the addressee
/// check; the limit on requests; the routes. A panic anywhere in there is `internal`.
pub fn edge(router: Router, settings: EdgeSettings) -> Router {
    let edge = Arc::new(Edge {
        in_flight: InFlight::new(settings.max_requests),
        settings,
    });
    router
        .method_not_allowed_fallback(async || Rejection::code(Code::MethodNotAllowed))
        .fallback(async || Rejection::code(Code::RouteNotFound))
        .layer(from_fn_with_state(edge, pass))
}

/// One request through the edge and back.
async fn pass(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let settings = &edge.settings;
    let arrival = Arrival::now();
    let request_id = request_id::of(&request);
    let (mut request, asked) = Asked::of(request, request_id, settings).await;
    let crossing = settings.guard.crossing(&request);
    request.extensions_mut().insert(arrival);
    request.extensions_mut().insert(asked.about());
    request.extensions_mut().insert(BodyBounds {
        max_bytes: settings.max_body_bytes,
        timeout: settings.body_timeout,
    });

    let answering = async {
        let outcome = caught(admit(&edge, request, next)).await;
        let mut response = finish(outcome, &asked, settings);
        cors::expose(&mut response, crossing.as_ref());
        response
    };
    observe(&asked, arrival, answering).await
}

/// Every check before the routes, cheapest and most general first.
async fn admit(edge: &Edge, mut request: Request, next: Next) -> Result<Response, Rejection> {
    let settings = &edge.settings;
    settings.guard.check(&request)?;
    if let Some(preflight) = cors::preflight(&request) {
        return Ok(preflight);
    }
    let open = super::tokens::is_open(request.uri().path());
    let principal = if open {
        Principal::nobody()
    } else {
        settings.tokens.admit(request.headers())?
    };
    request.extensions_mut().insert(principal);
    if let Some(source) = &settings.source {
        addressee::check(request.headers(), &source.runtime_id)?;
    }
    let _slot = if open {
        None
    } else {
        Some(edge.in_flight.enter()?)
    };
    Ok(next.run(request).await)
}
