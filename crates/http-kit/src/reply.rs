//! Answers that are a success.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, LOCATION};
use http::{HeaderName, StatusCode};
use serde::Serialize;
use yoi_protocol::header;

/// `value` as JSON with a status.
pub fn reply<T: Serialize>(status: StatusCode, value: &T) -> Response {
    (status, Json(value)).into_response()
}

/// `value` as JSON with a status, marked when it is the recorded answer to an earlier request
/// with the same idempotency key.
pub fn reply_replayable<T: Serialize>(status: StatusCode, value: &T, replayed: bool) -> Response {
    let mut response = reply(status, value);
    if replayed {
        response.headers_mut().insert(
            HeaderName::from_static(header::IDEMPOTENCY_REPLAYED),
            HeaderValue::from_static("true"),
        );
    }
    response
}

/// 201 with `Location`; `location` is a path of this server.
pub fn reply_created<T: Serialize>(location: &str, value: &T, replayed: bool) -> Response {
    let mut response = reply_replayable(StatusCode::CREATED, value, replayed);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
