//! What browsers need to be told so that pages of other, allowed origins can ask.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderValue, ORIGIN, VARY,
};
use http::{Method, StatusCode};

use super::guard::Crossing;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, last-event-id, traceparent, x-request-id, yoi-deadline-ms",
);
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "idempotency-replayed, location, retry-after, x-request-id, yoi-boot-id, yoi-runtime-id",
);
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The answer to a preflight. The guard has let its origin in; a preflight carries no credential,
/// so none is asked for.
pub(super) fn preflight(request: &Request) -> Option<Response> {
    let headers = request.headers();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight.then(|| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        response
    })
}

/// Lets the page that asked read the answer, problems too.
pub(super) fn expose(response: &mut Response, crossing: Option<&Crossing>) {
    if let Some(crossing) = crossing {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, crossing.origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}
